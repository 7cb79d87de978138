"""The unit of a gated network, with its gradient by hand."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def gate(a: Tensor, groups: int = 1) -> Tensor:
    """tanh(a1) sigma(a2), the halves of each group: (N, 2 F, ...) -> (N, F, ...).

    Where its gradient is asked for both are made at once, which differs by rounding and has no second derivative.
    """
    if a.requires_grad and torch.is_grad_enabled() and not torch.compiler.is_compiling():
        units: Tensor = Gate.apply(a, groups)  # type: ignore[no-untyped-call]
        return units
    first, second = _halves(a, groups).unbind(2)
    return (first.tanh() * second.sigmoid()).flatten(1, 2)


class Gate(torch.autograd.Function):
    """t s, t = tanh(a1) = 2 sigma(2 a1) - 1 and s = sigma(a2), whose slopes s (1 - t^2) and t s (1 - s) are kept."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, groups: int) -> Tensor:
        """(N, 2 F, ...) -> (N, F, ...)."""
        halves = _halves(a, groups)
        slopes = torch.empty_like(halves)
        of_first, of_second = slopes.unbind(2)  # each holds what is on the way to it
        t = halves[:, :, 0].mul(2).sigmoid_().mul_(2).sub_(1)
        s = torch.sigmoid(halves[:, :, 1], out=of_second)
        units = t * s
        torch.addcmul(s, units, t, value=-1, out=of_first)
        torch.addcmul(units, units, s, value=-1, out=of_second)
        ctx.save_for_backward(slopes)
        return units.flatten(1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, None]:
        """(N, F, ...) -> (N, 2 F, ...)."""
        (slopes,) = ctx.saved_tensors  # (N, groups, 2, F / groups, ...)
        of_units = outer.unflatten(1, (slopes.shape[1], 1, -1))
        return (slopes * of_units).flatten(1, 3), None


def _halves(a: Tensor, groups: int) -> Tensor:
    """(N, 2 F, ...) -> (N, groups, 2, F / groups, ...)."""
    halves: Tensor = a.unflatten(1, (groups, 2, -1))
    return halves
