"""Triangular equations solved for all coordinates at once, again and again, until nothing changes."""

from collections.abc import Callable

import torch
from torch import Tensor

_ROUNDING = 16  # times the distance of 1 to the next number: what counts as no change


def solve_triangular(
    step: Callable[[Tensor, Tensor], Tensor], start: Tensor, sweeps: int
) -> Tensor:
    """The x with x = step(x), where each part of step(x) depends on earlier parts of x alone: (N, ...).

    step    (x (n, ...), rows (n,) of the batch that these are) -> (n, ...).
    sweeps  the number of parts, after which x is the solution, whatever it was at first: each sweep makes one more part
            final.  A row that no longer changes, but for rounding, is done before.
    Where gradients are asked for all sweeps are taken, so that they are exact as well.
    Source: Song et al. 2021, https://arxiv.org/abs/2002.03629.
    """
    x, active = start, torch.arange(len(start), device=start.device)
    if torch.is_grad_enabled():
        for _ in range(sweeps):
            x = torch.nan_to_num(step(x, active), 0.0, 0.0, 0.0)
        return x
    x, rounding = x.clone(), _ROUNDING * torch.finfo(x.dtype).eps
    for _ in range(sweeps):
        before = x[active]
        after = torch.nan_to_num(
            step(before, active), 0.0, 0.0, 0.0
        )  # of a guess that was too wild
        x[active] = after
        close = (after - before).abs() <= rounding * (1 + after.abs())
        active = active[~close.flatten(1).all(1)]
        if not len(active):
            break
    return x
