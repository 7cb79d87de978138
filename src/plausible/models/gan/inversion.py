"""From x back to z: min_z |G(z) - x|^2 / v + b (|z|^2 - d)^2 / 2 d, by Adam from several starts.

v is the mean squared distance of x to samples, so that the first term is 1 for a z that knows nothing of x; the second
has mean b over z ~ N(0, I), and holds z where nearly all of it lies.
Source: Zhu et al. 2016, https://arxiv.org/abs/1609.03552 (a descent from a good start).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.optimizers import Adam

Draw = Callable[[Tensor], Tensor]
"""z (M, d) -> G(z) in standard units (M, *shape), for inputs of one label."""

_CHUNK = 256


@dataclass(frozen=True)
class Search:
    """How z is looked for.

    pool      samples drawn, of which the nearest to x are where the search begins.
    starts    how many of them.
    steps     of Adam from each, and then ``last`` from the best of what they found.
    lr        of Adam, which falls to 0 by a cosine in both.
    prior     b.
    """

    pool: int = 1024
    starts: int = 4
    steps: int = 100
    last: int = 500
    lr: float = 0.3
    prior: float = 1e-3


SEARCH = Search()
"""What ``encode`` does."""

SHORT = Search(pool=256, starts=2, steps=20, last=20)
"""Enough to see which label an x has."""


def invert(draw: Draw, x: Tensor, pool: Tensor, search: Search = SEARCH) -> tuple[Tensor, Tensor]:
    """The z of each x (N, *shape) in standard units, (N, d), and what is left of that, (N,).

    pool  draws of z ~ N(0, I), (P, d): the same ones give the same z.
    """
    objective, starts = _objective(draw, x, pool, search)  # (N, starts, d)
    rows, each = torch.arange(len(x), device=x.device), starts.shape[1]
    every = rows.repeat_interleave(each)  # (N,) -> (N starts,)
    z, cost = _descend(objective, starts.flatten(0, 1), every, search.steps, search.lr)
    best = cost.unflatten(0, (-1, each)).argmin(1)  # (N starts,) -> (N,)
    z = z.unflatten(0, (-1, each))[rows, best]  # (N starts, d) -> (N, d)
    return _descend(objective, z, rows, search.last, search.lr)


Objective = Callable[[Tensor, Tensor], Tensor]
"""(z (M, d), the row of x that each is for (M,)) -> (M,)."""


def _objective(draw: Draw, x: Tensor, pool: Tensor, search: Search) -> tuple[Objective, Tensor]:
    """What is minimised, and where to begin, (N, starts, d)."""
    flat, d = x.flatten(1), pool.shape[1]  # (N, *shape) -> (N, D)
    with torch.no_grad():
        drawn = torch.cat([draw(few).flatten(1) for few in pool.split(_CHUNK)])  # (P, D)
    apart = torch.cdist(flat, drawn).square() / flat.shape[1]  # (N, P)
    scale = apart.mean(1).clamp(min=1e-12)  # (N,)
    nearest = apart.topk(min(search.starts, len(pool)), 1, largest=False).indices

    def objective(z: Tensor, rows: Tensor) -> Tensor:
        off = (draw(z).flatten(1) - flat[rows]).square().mean(1)  # (M,)
        beside = (z.square().sum(1) - d).square() / (2 * d)  # (M,)
        return off / scale[rows] + search.prior * beside

    return objective, pool[nearest]


def _descend(
    objective: Objective, z: Tensor, rows: Tensor, steps: int, lr: float
) -> tuple[Tensor, Tensor]:
    """Adam from each z (M, d): the best z on the way, and what it costs, (M,)."""
    with torch.enable_grad():
        z = z.clone().requires_grad_()
        optimizer = Adam([z], lr)
        best, least = z.detach().clone(), torch.full((len(z),), math.inf, device=z.device)
        for step in range(steps + 1):
            cost = objective(z, rows)  # (M,)
            better = cost.detach() < least
            least = torch.where(better, cost.detach(), least)
            best = torch.where(better[:, None], z.detach(), best)
            if step == steps:
                break
            (z.grad,) = torch.autograd.grad(cost.sum(), [z])
            for group in optimizer.param_groups:
                group["lr"] = lr * (1 + math.cos(math.pi * step / steps)) / 2
            optimizer.step()
    return best, least
