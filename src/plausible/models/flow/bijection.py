"""Invertible maps that know how much they stretch space, and several of them one after another."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

_ROTATED = 128  # channels up to which they are mixed and not only moved


class Bijection(nn.Module):
    """z = f(x), of batches of any shape, with x = f^-1(z) and log |det df/dx|; labels y (N,) may choose f."""

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (N, ...) -> z (N, ...) and log |det| (N,)."""
        raise NotImplementedError(f"{type(self).__name__} must say what it makes of x")

    def inverse(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The x of z (N, ...)."""
        raise NotImplementedError(f"{type(self).__name__} must say where z comes from")


class Composed(Bijection):
    """One map after another: log determinants add up."""

    def __init__(self, maps: Iterable[Bijection]):
        super().__init__()
        self.maps = nn.ModuleList(maps)

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (N, ...) -> z (N, ...) and log |det| (N,)."""
        total = x.new_zeros(len(x))
        for one in self.maps:
            x, log_det = one(x, y)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The x of z (N, ...)."""
        for one in reversed(self.maps):
            z = one.inverse(z, y)  # type: ignore[operator]  # a Bijection each
        return z


class Flattened(Bijection):
    """(N, *shape) -> (N, D), or any other shape of as many numbers."""

    def __init__(self, before: tuple[int, ...], after: tuple[int, ...]):
        super().__init__()
        self.before, self.after = before, after

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, *before) -> (N, *after)."""
        return x.reshape(-1, *self.after), x.new_zeros(len(x))

    def inverse(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """(N, *after) -> (N, *before)."""
        return z.reshape(-1, *self.before)


class Rotation(Bijection):
    """Channels mixed by an orthogonal matrix, as 1x1 convolutions do: x_n -> Q x_n at every place, log |det| = 0.

    Q = P exp(A - A'), A learned and 0 at first; P moves the channels by half of their number, so that the half that a
    coupling left alone is the one that the next one changes.  Many channels are only moved.
    Sources: Kingma and Dhariwal 2018, https://arxiv.org/abs/1807.03039 (1x1 convolutions); Lezcano-Casado and
    Martinez-Rubio 2019, https://arxiv.org/abs/1901.08428 (the exponential).
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels
        rows, columns = torch.tril_indices(channels, channels, -1)
        learned = len(rows) if channels <= _ROTATED else 0
        self.register_buffer("rows", rows[:learned], persistent=False)
        self.register_buffer("columns", columns[:learned], persistent=False)
        self.angles = nn.Parameter(torch.zeros(learned)) if learned else None

    def matrix(self) -> Tensor:
        """Q, (channels, channels)."""
        assert self.angles is not None
        size = (self.channels, self.channels)
        lower = self.angles.new_zeros(size).index_put((self.rows, self.columns), self.angles)
        turn: Tensor = torch.linalg.matrix_exp(lower - lower.T)
        return turn.roll(self.channels // 2, 0)

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, C, ...) -> the same."""
        if self.angles is None:
            return x.roll(self.channels // 2, 1), x.new_zeros(len(x))
        return _mixed(self.matrix(), x), x.new_zeros(len(x))

    def inverse(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """(N, C, ...) -> the same."""
        if self.angles is None:
            return z.roll(-(self.channels // 2), 1)
        return _mixed(self.matrix().T, z)


def _mixed(matrix: Tensor, x: Tensor) -> Tensor:
    return torch.einsum("ij,nj...->ni...", matrix, x)
