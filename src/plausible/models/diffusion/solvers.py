"""Ways through an ordinary differential equation dy/dt = v(y, t), from the first of given times to the last."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from plausible.core.registry import Registry

Velocity = Callable[[Tensor, Tensor], Tensor]
"""(y (N, ...), t ()) -> dy/dt (N, ...)."""
Solver = Callable[[Velocity, Tensor, Tensor], Tensor]
"""(v, y (N, ...) at the first time, times (S + 1,)) -> y at the last."""

solvers: Registry[Solver] = Registry("solver")
"""Every solver, by name."""


@solvers
def euler(v: Velocity, y: Tensor, times: Tensor) -> Tensor:
    """y + h v(y, t): one evaluation a step, an error of order h."""
    for t, following in pairwise(times):
        y = y + (following - t) * v(y, t)
    return y


@solvers
def heun(v: Velocity, y: Tensor, times: Tensor) -> Tensor:
    """y + h (v(y, t) + v(y', t')) / 2, y' by Euler: two evaluations a step, an error of order h^2.

    Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364, algorithm 1.
    """
    for t, following in pairwise(times):
        slope = v(y, t)
        ahead = v(y + (following - t) * slope, following)
        y = y + (following - t) * (slope + ahead) / 2
    return y


@solvers
def midpoint(v: Velocity, y: Tensor, times: Tensor) -> Tensor:
    """y + h v(y + h v(y, t) / 2, t + h / 2): two evaluations a step, an error of order h^2."""
    for t, following in pairwise(times):
        half = (following - t) / 2
        y = y + 2 * half * v(y + half * v(y, t), t + half)
    return y


@solvers
def rk4(v: Velocity, y: Tensor, times: Tensor) -> Tensor:
    """The classical Runge-Kutta method: four evaluations a step, an error of order h^4 (Kutta 1901)."""
    for t, following in pairwise(times):
        h = following - t
        first = v(y, t)
        second = v(y + h / 2 * first, t + h / 2)
        third = v(y + h / 2 * second, t + h / 2)
        fourth = v(y + h * third, following)
        y = y + h / 6 * (first + 2 * second + 2 * third + fourth)
    return y


def evaluations_of(solver: str) -> int:
    """Evaluations of the velocity in one step of a solver, counted."""
    asked: list[Tensor] = []

    def still(y: Tensor, t: Tensor) -> Tensor:
        asked.append(t)
        return torch.zeros_like(y)

    solvers[solver](still, torch.zeros(1), torch.tensor([0.0, 1.0]))
    return len(asked)


def steps_of(solver: str, evaluations: int) -> int:
    """Steps that take about so many evaluations, at least one."""
    return max(1, evaluations // evaluations_of(solver))


def log_density(
    v: Velocity,
    x: Tensor,
    times: Tensor,
    log_base: Callable[[Tensor], Tensor],
    probes: int | None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor | None]:
    """log p(x) = log p(y_end) + integral of div v dt along the way from x at times[0] to times[-1], by ``rk4``.

    log_base  y (N, ...) -> log p of the last time, (N,).
    probes    of Hutchinson's estimate of the divergence, E e' (dv/dy) e over signs e, which stay the same along a way;
              None takes every coordinate, without error.
    Returns log p (N,), and its standard error (N,) where there are at least 2 probes.
    Source: Grathwohl et al. 2019, https://arxiv.org/abs/1810.01367.
    """
    flat = x.flatten(1)
    if probes is None:
        signs = torch.eye(flat.shape[1], device=x.device).repeat_interleave(len(x), 0)  # (D N, D)
        count = flat.shape[1]
    else:
        coins = torch.rand(probes * len(x), flat.shape[1], generator=generator).to(x.device)
        signs, count = (coins < 0.5).float() * 2 - 1, probes  # (K N, D)
    signs = signs.view(count, *x.shape)  # (K, N, ...)

    def both(state: Tensor, t: Tensor) -> Tensor:
        """(y, -log det of each probe) flattened, (N, D + K) -> their derivatives."""
        y = state[:, : flat.shape[1]].view_as(x).detach().requires_grad_()
        with torch.enable_grad():
            slope = v(y, t)
        # e' (dv/dy) by reverse mode: forward mode would evaluate v once more for each probe
        across = [torch.autograd.grad(slope, y, sign, retain_graph=True)[0] for sign in signs]
        traces = (torch.stack(across) * signs).flatten(2).sum(2)  # (K, N, ...) -> (K, N)
        return torch.cat([slope.detach().flatten(1), traces.T], 1)

    start = torch.cat([flat, flat.new_zeros(len(x), count)], 1)
    end = rk4(both, start, times)
    base, traces = log_base(end[:, : flat.shape[1]].view_as(x)), end[:, flat.shape[1] :]  # (N, K)
    if probes is None:
        return base + traces.sum(1), None
    stderr = traces.std(1) / probes**0.5 if probes > 1 else None
    return base + traces.mean(1), stderr
