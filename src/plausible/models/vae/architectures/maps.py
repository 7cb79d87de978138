"""Layers of z that are maps, from the coarsest to the finest: a deep hierarchy."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from plausible.models.vae.hierarchy import Hierarchy
from plausible.nn.networks import DepthToSpace, SpaceToDepth, resolutions
from plausible.nn.observation import Params
from plausible.nn.residual import ResidualConv, group_norm, zero_init


class Maps(Hierarchy):
    """L maps z_l of ``latent`` channels each, over resolutions from 1x1 (if L is enough) to the largest.

    Up, the image shrinks through residual blocks and each resolution's last map is kept.  Down, each
    layer's q is made of the encoder's map at its resolution and of the state; the state then takes in what it
    predicts itself, exp(b) z_l, and a residual block.  The finer a resolution, the more layers it has.

    width   channels of every map.
    blocks  residual blocks at each resolution on the way up.
    Source: Child 2021 (VD-VAE), https://arxiv.org/abs/2011.10650.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        size: int,
        *,
        latent: int,
        layers: int,
        width: int,
        blocks: int,
        classes: int,
    ):
        super().__init__()
        large = max(shape[1:]) > max(resolutions(*shape[1:])[0])  # half of the pixels at once
        scales = [*reversed(resolutions(*shape[1:]))]  # coarsest first
        scales = scales if scales[0] == (1, 1) else [(1, 1), *scales]
        counts = dict(zip(scales, _shares(layers, len(scales)), strict=True))
        self.scales = [scale for scale in scales if counts[scale]]
        self.places = [scale for scale in scales for _ in range(counts[scale])]
        self.latent, self.path_dropout = latent, True
        self.sizes = tuple(latent * h * w for h, w in self.places)
        first = (4 if large else 1) * shape[0]
        stem = [SpaceToDepth()] if large else []
        self.stem = nn.Sequential(*stem, nn.Conv2d(first, width, 3, padding=1))
        self.up = nn.ModuleList(
            nn.Sequential(*(ResidualConv(width) for _ in range(blocks))) for _ in self.scales
        )
        self.start = nn.Parameter(torch.randn(width, *self.places[0]))
        self.label: nn.Embedding | None = nn.Embedding(classes, width) if classes else None
        self.heads = nn.ModuleList(_Head(width, latent) for _ in self.places)
        self.priors = nn.ModuleList(_Prior(width, latent) for _ in self.places)
        inward = [nn.Conv2d(latent, width, 1) for _ in self.places]
        with torch.no_grad():  # the sum of so many corrections stays about as large as one
            for conv in inward:
                conv.weight.div_(math.sqrt(layers))
        self.inward = nn.ModuleList(inward)
        self.down = nn.ModuleList(ResidualConv(width) for _ in self.places)
        self.last = nn.Sequential(
            group_norm(width),
            nn.SiLU(),
            nn.Conv2d(width, first * size, 3, padding=1),
            DepthToSpace(*shape[1:]) if large else nn.Identity(),
            Params(shape[0]),
        )

    def encoder_features(self, x: Tensor) -> list[Tensor]:
        """x (N, C, H, W) -> a map for each layer, top first, (N, width, h, w)."""
        h, of_scale = self.stem(x), {}
        for scale, blocks in zip(reversed(self.scales), self.up, strict=True):
            h = adaptive_avg_pool2d(h, scale) if h.shape[2:] != scale else h
            h = blocks(h)
            of_scale[scale] = h
        return [of_scale[place] for place in self.places]

    def top_state(self, n: int, y: Tensor | None) -> Tensor:
        """A learned map, plus the label's embedding: (n, width, h, w)."""
        state = self.start.expand(n, *self.start.shape)
        return state if self.label is None else state + self.label(y)[:, :, None, None]

    def posterior_params(self, layer: int, features: Tensor, state: Tensor) -> Tensor:
        """(R, width, h, w) both -> (R, 2 d_l)."""
        params: Tensor = self.heads[layer](features, self._at(layer, state)).flatten(1)
        return params

    def decoder_step(self, layer: int, state: Tensor, z: Tensor) -> Tensor:
        """(R, width, ., .), (R, d_l) -> (R, width, h, w)."""
        state = self._at(layer, state)
        correction, scale = self.priors[layer](state)
        z = z.unflatten(1, (self.latent, *self.places[layer])) * scale
        below: Tensor = self.down[layer](state + correction + self.inward[layer](z))
        return below

    def output(self, state: Tensor) -> Tensor:
        """(R, width, h, w) -> (R, C, H, W, size)."""
        output: Tensor = self.last(self._upsampled(state, self.scales[-1]))
        return output

    def _at(self, layer: int, state: Tensor) -> Tensor:
        return self._upsampled(state, self.places[layer])

    def _upsampled(self, state: Tensor, scale: tuple[int, int]) -> Tensor:
        """The state at a resolution, each value repeated."""
        return state if state.shape[2:] == scale else interpolate(state, scale)


class _Head(nn.Module):
    """q of the encoder's features and of the state: (R, F, h, w) twice -> (R, 2 latent, h, w)."""

    def __init__(self, width: int, latent: int):
        super().__init__()
        self.join = nn.Conv2d(2 * width, width, 1)
        self.block = ResidualConv(width)
        self.last = nn.Conv2d(width, 2 * latent, 1)

    def forward(self, features: Tensor, state: Tensor) -> Tensor:
        params: Tensor = self.last(
            self.block(self.join(torch.cat([features, state.to(features.dtype)], 1)))
        )
        return params


class _Prior(nn.Module):
    """What the state predicts: a correction of itself, (R, F, h, w), and the scale of z, (R, latent, h, w)."""

    def __init__(self, width: int, latent: int):
        super().__init__()
        self.latent = latent
        self.layers = nn.Sequential(
            ResidualConv(width), group_norm(width), zero_init(nn.Conv2d(width, width + latent, 1))
        )

    def forward(self, state: Tensor) -> tuple[Tensor, Tensor]:
        correction, log_scale = self.layers(state).split([state.shape[1], self.latent], 1)
        return correction, log_scale.exp()


def _shares(layers: int, scales: int) -> list[int]:
    """Layers of each resolution, in proportion to 1, 2, 3, ... and none without one if there are enough."""
    weights = torch.arange(1, scales + 1).double()
    counts = [1 if i < layers else 0 for i in range(scales)][::-1]  # fine ones first
    while sum(counts) < layers:
        counts[int((weights * layers / weights.sum() - torch.tensor(counts)).argmax())] += 1
    return counts
