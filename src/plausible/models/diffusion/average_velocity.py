"""Average velocities, by which a sample takes one step or a few: y_r = y_t - (t - r) u(y_t, r, t)."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from plausible.models.diffusion.path import Path

AverageVelocity = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(y (N, ...), r and t (N, 1, ...)) -> u, the mean of the velocity between the times r <= t on the way through y at t."""

AVERAGED = 0.25  # of the examples, that learn the mean between two times; the others learn the velocity, r = t
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


def average_errors(
    network: Callable[[Tensor, Tensor, Tensor | None, Tensor], Tensor],
    path: Path,
    x: Tensor,
    e: Tensor,
    times: Tensor,
    y: Tensor | None,
    share: float,
) -> Tensor:
    """The squared error of the mean velocity between two times, of examples x and noise e (N, ...): (N,).

    network  (points, t, y, r) -> u; times (N,) in [0, 1], y labels or None.
    share    of the examples, between whose times is something; the others learn the velocity, r = t.
    """
    n, device = len(x), x.device
    chosen = torch.rand(n) < share  # not on a GPU, which would have to be asked how many they are
    rows = torch.from_numpy(chosen.numpy().nonzero()[0]).to(device)
    r, t = (
        one.view(-1, *(1,) * (x.dim() - 1))
        for one in intervals(times, torch.rand(n, device=device), chosen.to(device))
    )
    at, wanted = path.mix(x, e, t), path.target(x, e, t)
    if len(rows):
        some = None if y is None else y[rows]
        wanted[rows] = average_target(
            lambda at, r, t: network(at, t, some, r), at[rows], wanted[rows], r[rows], t[rows]
        )
    return (network(at, t, y, r) - wanted).square().flatten(1).mean(1)


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
