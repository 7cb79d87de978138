"""Masked autoregressive layers: what becomes of a coordinate is said by those before it, in one pass for all."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from plausible.models.flow.bijection import Bijection
from plausible.models.flow.conditioners import Label
from plausible.models.flow.jacobi import solve_triangular
from plausible.models.flow.transforms import Transform, by_coordinate
from plausible.nn.residual import zero_init
from plausible.nn.unet import FourierFeatures


class MaskedAutoregressive(Bijection):
    """z_i = f(x_i; net(x_<i, y)): the Jacobian is triangular, and its determinant the product of the slopes.

    x (N, D); the way back solves for x_1, then x_2, ... (``solve_triangular``).
    Source: Papamakarios et al. 2017, https://arxiv.org/abs/1705.07057.
    """

    def __init__(
        self,
        dims: int,
        transform: Transform,
        width: int,
        blocks: int,
        classes: int,
        octaves: int = 0,
    ):
        super().__init__()
        self.dims, self.transform = dims, transform
        self.net = MaskedPerceptron(dims, transform.size, width, blocks, classes, octaves)

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (N, D) -> z (N, D) and log |det| (N,)."""
        z, log_slope = self.transform.forward(x, self._params(x, y))
        return z, log_slope.sum(1)

    def inverse(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The x of z (N, D)."""

        def step(x: Tensor, rows: Tensor) -> Tensor:
            params = self._params(x, None if y is None else y[rows])
            return self.transform.inverse(z[rows], params)

        return solve_triangular(step, torch.zeros_like(z), self.dims)

    def _params(self, x: Tensor, y: Tensor | None) -> Tensor:
        return by_coordinate(self.net(x, y), self.transform.size)


class MaskedPerceptron(nn.Module):
    """x (N, D), y (N,) -> (N, size * D), those for coordinate i made of x_<i; residual, and 0 at first.

    A unit of degree m sees coordinates before m and units of degree at most m; the numbers of coordinate i see units of
    degree at most i.  Source: Germain et al. 2015, https://arxiv.org/abs/1502.03509.
    """

    def __init__(
        self, dims: int, size: int, width: int, blocks: int, classes: int, octaves: int = 0
    ):
        super().__init__()
        inputs = torch.arange(dims)
        degrees = torch.arange(width) % dims
        waves = inputs.repeat_interleave(octaves)  # in the order of FourierFeatures
        self.features = FourierFeatures(octaves)
        seen = torch.cat([inputs, waves, waves])
        self.into = MaskedLinear(seen[None, :] < degrees[:, None])
        self.label = Label(classes, width)
        within = degrees[None, :] <= degrees[:, None]
        self.blocks = nn.Sequential(*(_MaskedBlock(within) for _ in range(blocks)))
        self.out = zero_init(MaskedLinear(degrees[None, :] <= inputs.repeat(size)[:, None]))

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """(N, D) -> (N, size * D)."""
        h = self.label(self.into(self.features(x)), y)
        out: Tensor = self.out(silu(self.blocks(h)))
        return out


class MaskedLinear(nn.Linear):
    """A linear layer of which some weights are 0 for ever: those where ``mask`` (outputs, inputs) is false."""

    mask: Tensor

    def __init__(self, mask: Tensor):
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) -> (N, outputs)."""
        return linear(x, self.weight * self.mask, self.bias)


class _MaskedBlock(nn.Module):
    """h + W2 drop(silu(W1 silu(h))), W2 = 0 at first; no norm, through which all units would see each other."""

    def __init__(self, mask: Tensor):
        super().__init__()
        self.first, self.second = MaskedLinear(mask), zero_init(MaskedLinear(mask))
        self.dropout = nn.Dropout(0.0)

    def forward(self, h: Tensor) -> Tensor:
        correction: Tensor = self.second(self.dropout(silu(self.first(silu(h)))))
        return h + correction
