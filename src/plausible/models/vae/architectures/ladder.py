"""Layers of z that are vectors, between a way into vectors and a way out of them."""

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from plausible.models.vae.hierarchy import Hierarchy
from plausible.nn.residual import ResidualDense


class Ladder(Hierarchy):
    """L vectors z_l of ``latent`` coordinates each, joined by residual blocks of ``hidden`` units.

    The encoder climbs: the features of a layer have one block more behind them than those of the layer below.  The decoder
    comes down: the state below a layer is made of the state above it and z_l.

    front   x (N, *shape) -> (N, hidden).
    back    (R, hidden) -> (R, *shape, size).
    blocks  between x and its nearest layer of z, each way.
    """

    def __init__(
        self,
        front: nn.Module,
        back: nn.Module,
        *,
        latent: int,
        layers: int,
        hidden: int,
        blocks: int,
        classes: int,
    ):
        super().__init__()
        self.sizes, self.path_dropout = (latent,) * layers, layers > 1
        self.front, self.back = front, back
        between = [1] * (layers - 1)
        self.up = nn.ModuleList(_blocks(hidden, count) for count in [blocks, *between])
        self.label: nn.Embedding | None = nn.Embedding(classes, hidden) if classes else None
        states = [hidden if classes else 0, *[hidden] * (layers - 1)]
        self.heads = nn.ModuleList(nn.Linear(hidden + state, 2 * latent) for state in states)
        self.inward = nn.ModuleList(nn.Linear(state + latent, hidden) for state in states)
        self.down = nn.ModuleList(_blocks(hidden, count) for count in [*between, blocks])

    def encoder_features(self, x: Tensor) -> list[Tensor]:
        """x (N, *shape) -> the features of each layer, top first, (N, hidden) each."""
        features = [self.front(x)]
        for block in self.up:
            features.append(block(features[-1]))
        return features[:0:-1]

    def top_state(self, n: int, y: Tensor | None) -> Tensor:
        """The embeddings of labels, (n, hidden), or nothing, (n, 0)."""
        if self.label is None:
            return next(self.parameters()).new_zeros(n, 0)
        state: Tensor = self.label(y)
        return state

    def posterior_params(self, layer: int, features: Tensor, state: Tensor) -> Tensor:
        """(R, hidden), (R, hidden) or (R, 0) -> (R, 2 latent)."""
        params: Tensor = self.heads[layer](_joined(features, state))
        return params

    def decoder_step(self, layer: int, state: Tensor, z: Tensor) -> Tensor:
        """(R, hidden) or (R, 0), (R, latent) -> (R, hidden)."""
        below: Tensor = self.down[layer](silu(self.inward[layer](_joined(state, z))))
        return below

    def output(self, state: Tensor) -> Tensor:
        """(R, hidden) -> (R, *shape, size)."""
        output: Tensor = self.back(state)
        return output


def _joined(a: Tensor, b: Tensor) -> Tensor:
    """Side by side, in one type: (R, A), (R, B) -> (R, A + B)."""
    return torch.cat([a, b.to(a.dtype)], 1) if a.shape[1] else b


def _blocks(features: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualDense(features) for _ in range(count)))
