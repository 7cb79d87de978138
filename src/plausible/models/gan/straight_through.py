"""Samples as D sees them: on the grid of levels, as data are, and still with a gradient."""

from typing import Any

import torch
from torch import Tensor


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, levels: int) -> Tensor:
        ctx.save_for_backward(x)
        half = (levels - 1) / 2
        return x.clamp(-1, 1).add(1).mul_(half).round_().div_(half).sub_(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,), (gradient,) = ctx.saved_tensors, gradients
        outwards = ((x < -1) & (gradient > 0)) | ((x > 1) & (gradient < 0))
        return gradient.masked_fill(outwards, 0), None


def quantise_straight_through(x: Tensor, levels: int) -> Tensor:
    """The nearest of L levels in [-1, 1], with a gradient as if nothing had been rounded.

    Outside of [-1, 1] only a gradient that leads back inside passes: one that leads further out
    changes nothing that D sees, and would let the values drift away without end.
    Source of the first half: Bengio et al. 2013, https://arxiv.org/abs/1308.3432.
    """
    rounded: Tensor = _StraightThrough.apply(x, levels)  # type: ignore[no-untyped-call]
    return rounded
