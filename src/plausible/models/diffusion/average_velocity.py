"""Average velocities, by which a sample takes one step or a few: y_r = y_t - (t - r) u(y_t, r, t)."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

AverageVelocity = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(y (N, ...), r and t (N, 1, ...)) -> u, the mean of the velocity between the times r <= t on the way through y at t."""

SHARE = 0.25  # of the examples that learn the mean between two times; the others learn the velocity, r = t
_SOFT = 1e-3  # added to a squared error before it is weighed


def average_target(u: AverageVelocity, y: Tensor, v: Tensor, r: Tensor, t: Tensor) -> Tensor:
    """v - (t - r) (du/dy v + du/dt): what u is where (t - r) u is the integral of v along its way, by one forward-mode product.

    v (N, ...) is the velocity at y and t, or what it is on average.  At r = t it is v, which is flow matching.  Without
    gradient.  Source: Geng et al. 2025 (MeanFlow), https://arxiv.org/abs/2505.13447.
    """
    # in float32, as autocast does not know of derivatives
    with torch.no_grad(), torch.autocast(y.device.type, enabled=False):
        along = (v, torch.zeros_like(r), torch.ones_like(t))
        change: Tensor = torch.func.jvp(u, (y, r, t), along)[1]
    return v - (t - r) * change


def intervals(t: Tensor, u: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """(r, t) with r <= t: of two uniform times where ``chosen``, otherwise the same; (N,) each."""
    other = torch.where(chosen, u, t)
    return torch.minimum(other, t), torch.maximum(other, t)


def weighed(squared: Tensor) -> Tensor:
    """Squared errors (N,) over themselves, without gradient: a few large ones would rule where targets move.

    Source: the same, with p = 1.
    """
    return squared / (squared.detach() + _SOFT)


def jumps(u: AverageVelocity, y: Tensor, times: Tensor) -> Tensor:
    """y at the last of the times (S + 1,), by one evaluation between each and the next."""
    column = (len(y), *(1,) * (y.dim() - 1))
    for t, following in pairwise(times):
        y = y - (t - following) * u(y, following.expand(column), t.expand(column))
    return y
