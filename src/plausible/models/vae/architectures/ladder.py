"""Layers of z that are vectors, between a way into vectors and a way out of them."""

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from plausible.models.vae.hierarchy import Hierarchy
from plausible.nn.residual import Dense


class Ladder(Hierarchy):
    """L vectors z_l of ``latent`` coordinates each, joined by residual blocks of ``hidden`` units.

    The encoder climbs: what a layer sees has one block more than what the layer below sees.  The decoder
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
        self.sizes, self.walk_drops = (latent,) * layers, layers > 1
        self.front, self.back = front, back
        between = [1] * (layers - 1)
        self.up = nn.ModuleList(_blocks(hidden, count) for count in [blocks, *between])
        self.label: nn.Embedding | None = nn.Embedding(classes, hidden) if classes else None
        states = [hidden if classes else 0, *[hidden] * (layers - 1)]
        self.heads = nn.ModuleList(nn.Linear(hidden + state, 2 * latent) for state in states)
        self.inward = nn.ModuleList(nn.Linear(state + latent, hidden) for state in states)
        self.down = nn.ModuleList(_blocks(hidden, count) for count in [*between, blocks])

    def seen(self, x: Tensor) -> list[Tensor]:
        """x (N, *shape) -> the view of each layer, top first, (N, hidden) each."""
        views = [self.front(x)]
        for climb in self.up:
            views.append(climb(views[-1]))
        return views[:0:-1]

    def initial_state(self, n: int, y: Tensor | None) -> Tensor:
        """The embeddings of labels, (n, hidden), or nothing, (n, 0)."""
        if self.label is None:
            return next(self.parameters()).new_zeros(n, 0)
        return self.label(y)

    def ask(self, layer: int, seen: Tensor, state: Tensor) -> Tensor:
        """(R, hidden), (R, hidden) or (R, 0) -> (R, 2 latent)."""
        return self.heads[layer](_joined(seen, state))

    def step(self, layer: int, state: Tensor, z: Tensor) -> Tensor:
        """(R, hidden) or (R, 0), (R, latent) -> (R, hidden)."""
        return self.down[layer](silu(self.inward[layer](_joined(state, z))))

    def out(self, state: Tensor) -> Tensor:
        """(R, hidden) -> (R, *shape, size)."""
        return self.back(state)


def _joined(a: Tensor, b: Tensor) -> Tensor:
    """Side by side, in one type: (R, A), (R, B) -> (R, A + B)."""
    return torch.cat([a, b.to(a.dtype)], 1) if a.shape[1] else b


def _blocks(features: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Dense(features) for _ in range(count)))
