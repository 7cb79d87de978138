"""Patch by patch: a causal transformer says what becomes of each patch of an image, from the patches before it."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from plausible.models.flow.bijection import Bijection
from plausible.models.flow.conditioners import Label
from plausible.models.flow.jacobi import solve_triangular
from plausible.models.flow.transforms import Transform, by_coordinate
from plausible.nn.residual import zero_init

_HEAD = 32  # features of one head, about


class PatchAutoregressive(Bijection):
    """z_t = f(x_t; net(x_<t, y)) of patches x (N, P, T), P numbers in each of T places, in their order or from the end.

    Source: Zhai et al. 2024 (TarFlow), https://arxiv.org/abs/2412.06329.
    """

    def __init__(
        self,
        size: tuple[int, int],
        transform: Transform,
        width: int,
        blocks: int,
        classes: int,
        *,
        backwards: bool,
    ):
        super().__init__()
        self.places, self.transform, self.backwards = size[1], transform, backwards
        self.net = CausalTransformer(*size, transform.size, width, blocks, classes)

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (N, P, T) -> z (N, P, T) and log |det| (N,)."""
        z, log_slope = self.transform.forward(x, self._params(x, y))
        return z, log_slope.flatten(1).sum(1)

    def inverse(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The x of z (N, P, T)."""

        def step(x: Tensor, rows: Tensor) -> Tensor:
            params = self._params(x, None if y is None else y[rows])
            return self.transform.inverse(z[rows], params)

        return solve_triangular(step, torch.zeros_like(z), self.places)

    def _params(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(N, P, T) -> (N, P, T, size)."""
        x = x.flip(2) if self.backwards else x
        params = by_coordinate(self.net(x, y), self.transform.size)
        return params.flip(2) if self.backwards else params


class CausalTransformer(nn.Module):
    """x (N, P, T), y (N,) -> (N, size * P, T), those of place t made of the places before it; 0 at first."""

    def __init__(self, numbers: int, places: int, size: int, width: int, blocks: int, classes: int):
        super().__init__()
        self.into = nn.Linear(numbers, width)
        self.start = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.place = nn.Parameter(0.02 * torch.randn(1, places, width))
        self.label = Label(classes, width)
        self.blocks = nn.Sequential(*(_Block(width) for _ in range(blocks)))
        self.norm, self.out = nn.LayerNorm(width), zero_init(nn.Linear(width, size * numbers))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """(N, P, T) -> (N, size * P, T)."""
        earlier = self.into(x[:, :, :-1].mT)  # (N, T - 1, F)
        h = torch.cat([self.start.expand(len(x), -1, -1), earlier], 1) + self.place
        h = self.label(h.mT, y).mT  # (N, T, F)
        out: Tensor = self.out(self.norm(self.blocks(h)))  # (N, T, size P)
        return out.mT


class _Block(nn.Module):
    """Attention to this place and those before it, then a perceptron, each added to what was there: (N, T, F)."""

    def __init__(self, width: int):
        super().__init__()
        self.heads = max(h for h in range(1, max(1, width // _HEAD) + 1) if width % h == 0)
        self.norm, self.ask = nn.LayerNorm(width), nn.Linear(width, 3 * width)
        self.answer = zero_init(nn.Linear(width, width))
        self.inner_norm, self.first = nn.LayerNorm(width), nn.Linear(width, 4 * width)
        self.second, self.dropout = zero_init(nn.Linear(4 * width, width)), nn.Dropout(0.0)

    def forward(self, h: Tensor) -> Tensor:
        asked = self.ask(self.norm(h)).unflatten(2, (3, self.heads, -1))  # (N, T, 3, heads, d)
        q, k, v = asked.permute(2, 0, 3, 1, 4)  # (N, heads, T, d) each
        # by hand, because the fused kernels have no second derivative
        later = torch.ones(h.shape[1], h.shape[1], dtype=torch.bool, device=h.device).triu(1)
        scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(later, -math.inf)
        seen = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)  # (N, T, F)
        h = h + self.answer(self.dropout(seen))
        correction: Tensor = self.second(self.dropout(silu(self.first(self.inner_norm(h)))))
        return h + correction
