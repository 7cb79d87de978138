"""Layers of z that are maps, from the coarsest to the finest: a deep hierarchy."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from plausible.models.vae.hierarchy import Hierarchy
from plausible.nn.networks import DepthToSpace, SpaceToDepth, resolutions
from plausible.nn.observation import Params
from plausible.nn.residual import Convolutional, normalised, zero


class Maps(Hierarchy):
    """L maps z_l of ``latent`` channels each, over resolutions from 1x1 (if L is enough) to the largest.

    Up, the image shrinks through residual blocks and each resolution's last map is kept.  Down, each
    layer asks q of what was seen at its resolution and of the state; the state then takes in what it
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
        self.latent, self.walk_drops = latent, True
        self.sizes = tuple(latent * h * w for h, w in self.places)
        first = (4 if large else 1) * shape[0]
        stem = [SpaceToDepth()] if large else []
        self.stem = nn.Sequential(*stem, nn.Conv2d(first, width, 3, padding=1))
        self.up = nn.ModuleList(
            nn.Sequential(*(Convolutional(width) for _ in range(blocks))) for _ in self.scales
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
        self.down = nn.ModuleList(Convolutional(width) for _ in self.places)
        self.last = nn.Sequential(
            normalised(width),
            nn.SiLU(),
            nn.Conv2d(width, first * size, 3, padding=1),
            DepthToSpace(*shape[1:]) if large else nn.Identity(),
            Params(shape[0]),
        )

    def seen(self, x: Tensor) -> list[Tensor]:
        """x (N, C, H, W) -> a map for each layer, top first, (N, width, h, w)."""
        h, kept = self.stem(x), {}
        for scale, climb in zip(reversed(self.scales), self.up, strict=True):
            h = adaptive_avg_pool2d(h, scale) if h.shape[2:] != scale else h
            h = climb(h)
            kept[scale] = h
        return [kept[place] for place in self.places]

    def initial_state(self, n: int, y: Tensor | None) -> Tensor:
        """A learned map, plus the label's embedding: (n, width, h, w)."""
        state = self.start.expand(n, *self.start.shape)
        return state if self.label is None else state + self.label(y)[:, :, None, None]

    def ask(self, layer: int, seen: Tensor, state: Tensor) -> Tensor:
        """(R, width, h, w) both -> (R, 2 d_l)."""
        return self.heads[layer](seen, self._at(layer, state)).flatten(1)

    def step(self, layer: int, state: Tensor, z: Tensor) -> Tensor:
        """(R, width, ., .), (R, d_l) -> (R, width, h, w)."""
        state = self._at(layer, state)
        correction, scale = self.priors[layer](state)
        z = z.unflatten(1, (self.latent, *self.places[layer])) * scale
        return self.down[layer](state + correction + self.inward[layer](z))

    def out(self, state: Tensor) -> Tensor:
        """(R, width, h, w) -> (R, C, H, W, size)."""
        return self.last(self._grown(state, self.scales[-1]))

    def _at(self, layer: int, state: Tensor) -> Tensor:
        return self._grown(state, self.places[layer])

    def _grown(self, state: Tensor, scale: tuple[int, int]) -> Tensor:
        """The state at a resolution, each value repeated."""
        return state if state.shape[2:] == scale else interpolate(state, scale)


class _Head(nn.Module):
    """q of what is seen and of the state: (R, F, h, w) twice -> (R, 2 latent, h, w)."""

    def __init__(self, width: int, latent: int):
        super().__init__()
        self.join = nn.Conv2d(2 * width, width, 1)
        self.block = Convolutional(width)
        self.last = nn.Conv2d(width, 2 * latent, 1)

    def forward(self, seen: Tensor, state: Tensor) -> Tensor:
        return self.last(self.block(self.join(torch.cat([seen, state.to(seen.dtype)], 1))))


class _Prior(nn.Module):
    """What the state predicts: a correction of itself, (R, F, h, w), and the scale of z, (R, latent, h, w)."""

    def __init__(self, width: int, latent: int):
        super().__init__()
        self.latent = latent
        self.layers = nn.Sequential(
            Convolutional(width), normalised(width), zero(nn.Conv2d(width, width + latent, 1))
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
