"""The variational bound of a diffusion model: log p(x) of points on a grid of levels, from below."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

_LARGEST = 1000.0  # the most noise: no more is left of an x than chance
_MIDDLE = 2.0  # deviations of noise behind which there is as much to guess as to see
_SEEN = 4  # draws of that noise

Denoiser = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(x (N, *shape), noise e (N, *shape), its ratio sigma (N,)) -> E[x | x + sigma e] (N, *shape)."""


def variational_bound(
    denoiser: Denoiser,
    x: Tensor,
    decoding: Tensor,
    least: float,
    deviation: float,
    draws: int,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor | None]:
    """log p(x) >= -KL(q(x_1 | x) || p(x_1)) - E log 1 / p(x | x_0) - int E |x - D(x + s e; s)|^2 / s^2 d ln s, in nats.

    x          (N, *shape) in standard units, on levels in [-1, 1].
    decoding   E log 1 / p(x | x_0) behind the ``least`` noise, where the integral begins, (N,).
    deviation  of the data: noise ratios are drawn as they matter for data of that deviation, equally spaced in
               ln(s d / sqrt(s^2 + d^2)), one from each of ``draws`` parts.
    Returns the bound (N,) and its standard error (N,) over the draws of s and e, None of a single one.
    p is the process in continuous time that draws x by the reverse stochastic differential equation.
    Source: Kingma et al. 2021 (Variational Diffusion Models), https://arxiv.org/abs/2107.00630.
    """
    rows = torch.arange(len(x), device=x.device)
    fixed, costs = bound_costs(denoiser, x, rows, decoding, least, deviation, draws, generator)
    return -(fixed + costs.mean(0)), costs.std(0) / draws**0.5 if draws > 1 else None


def bound_costs(
    denoiser: Denoiser,
    x: Tensor,
    rows: Tensor,
    decoding: Tensor,
    least: float,
    deviation: float,
    draws: int,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """The two summands of the negative bound of pairs x[rows], rows (P,): what is fixed, (P,), and the integral.

    The integral is the mean of what each draw of s and e says, (K, P); pairs of an x share its draws.
    """
    ends = [math.log(s * deviation / math.hypot(s, deviation)) for s in (least, _LARGEST)]
    prior = x.flatten(1).square().sum(1) / (2 * _LARGEST**2)  # of N(x, s^2) to N(0, s^2)
    u = torch.rand(draws, len(x), generator=generator)
    u = (torch.arange(draws)[:, None] + u) / draws  # (K, N), one in each part
    sigma = ((-2 * (ends[0] + u.double() * (ends[1] - ends[0]))).exp() - deviation**-2).clamp(
        min=_LARGEST**-2
    )
    sigma = sigma.rsqrt().float().to(x.device)
    costs, own = [], x[rows]
    for s in sigma[:, rows]:
        e = torch.randn(x.shape, generator=generator).to(x.device)[rows]
        seen = denoiser(own, e, s) if len(own) else own
        squared = (own - seen).flatten(1).square().sum(1)  # (P,)
        costs.append(squared * (s**-2 + deviation**-2) * (ends[1] - ends[0]))
    return (prior + decoding)[rows], torch.stack(costs)


def seen_through_noise(
    denoiser: Denoiser, x: Tensor, deviation: float, generator: Generator | None = None
) -> Tensor:
    """E[x | x + s e] at a middle s, the mean of a few e that all rows share: x (N, *shape) in standard units -> the same."""
    sigma, total = x.new_full((len(x),), _MIDDLE * deviation), torch.zeros_like(x)
    for _ in range(_SEEN):
        e = torch.randn(x.shape[1:], generator=generator).to(x).expand(x.shape)
        total += denoiser(x, e, sigma)
    return total / _SEEN
