"""How well Markov chains mix: what they say of themselves, from statistics f(x) along their way."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

R_HAT_LIMIT = 1.05  # above which chains do not agree
_FIRST_CHECK = 32  # steps after which chains are asked for the first time
_WINDOW = 5.0  # autocorrelation times that a sum of autocorrelations goes on for


def autocorrelation(f: Tensor) -> Tensor:
    """rho_t = Cov(f_s, f_s+t) / Var f, averaged over chains, t = 0 .. T - 1: (T, M, K) -> (T, K).

    Deviations are from the mean of all chains, so that chains which do not meet count as correlated.
    A statistic that does not vary has rho = 1.
    """
    steps = len(f)
    apart = f.double() - f.double().mean((0, 1))  # (T, M, K)
    power = torch.fft.rfft(apart, 2 * steps, 0).abs().square()
    sums = torch.fft.irfft(power, 2 * steps, 0)[:steps].mean(1)  # (T, M, K) -> (T, K)
    count = torch.arange(steps, 0, -1, device=f.device)[:, None]
    covariance = sums / count
    variance = covariance[0]
    return torch.where(variance > 0, covariance / variance.clamp(min=1e-300), 1.0)


def autocorrelation_time(f: Tensor) -> Tensor:
    """tau = 1 + 2 sum_t rho_t, in steps: one independent draw costs so many.  (T, M, K) -> (K,).

    The sum ends at the first t >= 5 tau, before it adds up noise; where there is none, the chain is too
    short to say, and tau is T.
    Source: Sokal 1997, doi:10.1007/978-1-4899-0319-8_6.
    """
    sums = 2 * autocorrelation(f).cumsum(0) - 1  # (T, K)
    t = torch.arange(len(sums), device=f.device)[:, None]
    enough = t >= _WINDOW * sums
    first = enough.int().argmax(0)  # (K,)
    tau: Tensor = sums.gather(0, first[None])[0]
    return torch.where(enough.any(0), tau, float(len(f))).clamp(min=1.0)


def split_r_hat(f: Tensor) -> Tensor:
    """sqrt of (variance of all) / (variance within half-chains), 1 where they agree: (T, M, K) -> (K,).

    Each chain is cut into halves, so that one that drifts disagrees with itself.  At least 4 steps.
    Sources: Gelman and Rubin 1992, doi:10.1214/ss/1177011136; Vehtari et al. 2021, doi:10.1214/20-BA1221.
    """
    n = len(f) // 2
    halves = torch.cat([f[:n], f[n : 2 * n]], 1).double()  # (n, 2 M, K)
    within = halves.var(0).mean(0)  # (K,)
    between = halves.mean(0).var(0)
    pooled = (n - 1) / n * within + between
    constant = pooled <= 0  # nothing moves and all agree
    return torch.where(constant, 1.0, (pooled / within.clamp(min=1e-300)).sqrt())


def random_projections(dims: int, count: int = 16) -> Tensor:
    """Random directions on which states are projected, always the same, of unit length: (D, K)."""
    directions = torch.randn(dims, count, generator=torch.Generator().manual_seed(0))
    length: Tensor = directions.norm(dim=0)
    return directions / length


@dataclass(frozen=True)
class Mixing:
    """What was measured of chains on their way.

    steps  taken from the start until all chains agreed, or until patience ended.
    r_hat  the largest split R-hat of the last half of them.
    tau    the largest autocorrelation time of the last half, in steps.
    ess    effective sample size of the last half, of the worst statistic.
    """

    steps: int
    r_hat: float
    tau: float
    ess: float

    @property
    def converged(self) -> bool:
        """Whether the chains agree, so that they have forgotten where they began."""
        return self.r_hat < R_HAT_LIMIT


def measure_mixing(f: Tensor, y: Tensor | None = None) -> Mixing:
    """Mixing of the last half of statistics (T, M, K).

    y  (M,) labels that chains keep: chains of different labels are not to agree.
    """
    late = f[len(f) // 2 :]
    if y is not None:
        late = _centre_by_label(late, y)
    tau = autocorrelation_time(late)
    ess = late.shape[0] * late.shape[1] / tau
    return Mixing(len(f), split_r_hat(late).max().item(), tau.max().item(), ess.min().item())


def run_until_mixed(
    step: Callable[[Tensor], Tensor], x: Tensor, y: Tensor | None = None, patience: int = 1024
) -> tuple[Tensor, Mixing]:
    """Walk until chains that began apart agree: twice as many steps again and again, at most ``patience``.

    step  one transition of all chains, (M, ...) -> (M, ...).
    y     (M,) labels of chains that are not to agree across labels.
    Returns the states and what was measured; the second half of the way would be worth keeping.
    """
    directions, until = random_projections(x[0].numel()).to(x.device), _FIRST_CHECK
    statistics: list[Tensor] = []
    while True:
        while len(statistics) < until:
            x = step(x)
            statistics.append(x.flatten(1) @ directions)  # (M, K)
        mixing = measure_mixing(torch.stack(statistics), y)
        if mixing.converged or until >= patience:
            return x, mixing
        until *= 2


def _centre_by_label(f: Tensor, y: Tensor) -> Tensor:
    """Statistics without the mean of all chains of the same label: (T, M, K), (M,) -> (T, M, K)."""
    mean = torch.zeros(int(y.max()) + 1, f.shape[2], device=f.device, dtype=f.dtype)
    count = torch.bincount(y, minlength=len(mean)).clamp(min=1)[:, None]
    mean.index_add_(0, y, f.mean(0))
    apart = f - (mean / count)[y]
    return torch.where(apart.abs() > 1e-5 * f.abs(), apart, 0.0)  # rounding is no movement
