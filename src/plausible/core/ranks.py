"""What a model computes over the whole batch, or makes in shares, where several processes hold equal shares of the batch.

Alone, which is the usual case, every function here returns what it was given.  Whoever trains says when processes
play together, so that what only one of them looks at (probes, measures) waits for nobody.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import torch
from torch import Tensor


class Ranks(Protocol):
    """Processes that hold equal shares of every batch."""

    @property
    def rank(self) -> int:
        """Which of them this one is, from 0."""

    @property
    def size(self) -> int:
        """How many there are."""

    def add_up(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all of them, in place."""

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """The tensors of all of them, of one shape."""


_PRESENT: ContextVar[Ranks | None] = ContextVar("ranks", default=None)
# how many blocks of several processes are open, which a compiler can read, as it cannot a context variable
_TOGETHER = [0]
_SHARING: ContextVar[Ranks | None] = ContextVar("sharing", default=None)


@contextmanager
def together(ranks: Ranks) -> Iterator[None]:
    """While it lasts, all ranks do the same things in the same order, and what is asked below is asked of all."""
    several = ranks.size > 1
    token = _PRESENT.set(ranks if several else None)
    _TOGETHER[0] += several
    try:
        yield
    finally:
        _TOGETHER[0] -= several
        _PRESENT.reset(token)


@contextmanager
def sharing(ranks: Ranks) -> Iterator[None]:
    """While it lasts, all ranks ask for the same samples of the same seed, of which each makes a part and all get all."""
    token = _SHARING.set(ranks if ranks.size > 1 else None)
    try:
        yield
    finally:
        _SHARING.reset(token)


def sum_over_ranks(x: Tensor) -> Tensor:
    """The sum of every rank's x, of one shape, on all of them; its gradient is that of all ranks' losses.

    Ranks then average the gradients of their losses, so the mean over ranks is the gradient of the mean loss.
    """
    ranks = _present()
    if ranks is None:
        return x
    return _summed(x.float(), ranks).to(x.dtype)  # not every backend adds up bf16


def mean_over_ranks(x: Tensor) -> Tensor:
    """The mean of every rank's x: of a mean over its share that over the whole batch."""
    return sum_over_ranks(x) / number_of_ranks()


def variance_over_ranks(x: Tensor) -> Tensor:
    """The variance of each column over the rows of all ranks: (N, F) -> (F,)."""
    if _present() is None:
        return x.var(0, correction=0)
    centred = x - mean_over_ranks(x.mean(0))
    return mean_over_ranks(centred.square().mean(0))


def number_of_ranks() -> int:
    """How many processes play together now; 1 alone."""
    ranks = _present()
    return 1 if ranks is None else ranks.size


def _present() -> Ranks | None:
    """Those who play together now."""
    return _PRESENT.get() if _TOGETHER[0] else None


def own_share(n: int, piece: int = 1) -> slice:
    """Which of n rows this rank makes while they are shared: as many as every other, and of the last what is left.

    piece  rows that are made at once and stay together, so that they are rounded as by one process.
    """
    ranks = _SHARING.get()
    if ranks is None:
        return slice(0, n)
    share = _share(n, ranks, piece)
    return slice(min(n, ranks.rank * share), min(n, (ranks.rank + 1) * share))


def all_shares(x: Tensor, n: int, piece: int = 1) -> Tensor:
    """What every rank made of its ``own_share`` of n rows, one after the other: (m, ...) -> (n, ...)."""
    ranks = _SHARING.get()
    if ranks is None:
        return x
    share = _share(n, ranks, piece)
    padded = x.new_zeros(share, *x.shape[1:])
    padded[: len(x)] = x
    return torch.cat([part.to(x.device) for part in ranks.gather(padded)])[:n]


def _share(n: int, ranks: Ranks, piece: int) -> int:
    """How many of n rows each rank makes, but for the last ones: whole pieces."""
    return -(-n // (ranks.size * piece)) * piece


class _Sum(torch.autograd.Function):
    """The sum over ranks, whose derivative is the same sum."""

    @staticmethod
    def forward(x: Tensor, ranks: Ranks) -> Tensor:
        """The sum of x."""
        total = x.detach().clone(memory_format=torch.contiguous_format)
        ranks.add_up(total)
        return total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Ranks], output: Tensor) -> None:
        """What the derivative needs."""
        ctx.ranks = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Every rank's loss depends on x."""
        return _summed(gradient, ctx.ranks), None


_summed: Callable[[Tensor, Ranks], Tensor] = _Sum.apply
