"""Parallel tempering: the same chain at several temperatures, whose states change places."""

import torch
from torch import Generator, Tensor

from plausible.models.rbm.annealing import AnnealingPath


def inverse_temperatures(replicas: int) -> Tensor:
    """From 0, independent units, to 1, the machine: (R,)."""
    return torch.linspace(0, 1, replicas)


def swap_replicas(
    path: AnnealingPath, v: Tensor, betas: Tensor, odd: bool, generator: Generator | None = None
) -> Tensor:
    """States of neighbouring temperatures change places with probability min(1, ratio).

    ratio = p*_i(v_j) p*_j(v_i) / (p*_i(v_i) p*_j(v_j)), so that the product of all p_i stays what it is.

    odd  pairs (1, 2), (3, 4), ... and not (0, 1), (2, 3), ...
    v (R, M, D), betas (R,) -> (R, M, D).
    Sources: Swendsen and Wang 1986, doi:10.1103/PhysRevLett.57.2607; Desjardins et al. 2010,
    http://proceedings.mlr.press/v9/desjardins10a.html.
    """
    first = torch.arange(int(odd), len(betas) - 1, 2, device=v.device)
    cold, warm = v[first], v[first + 1]  # (P, M, D)
    low, high = betas[first, None, None], betas[first + 1, None, None]
    gain = path.log_ratio(warm, low, high) - path.log_ratio(cold, low, high)  # (P, M)
    uniform = torch.rand(gain.shape, generator=generator, device=v.device)
    swap = (uniform.log() < -gain)[..., None]
    v = v.clone()
    v[first], v[first + 1] = torch.where(swap, warm, cold), torch.where(swap, cold, warm)
    return v


def tempered_step(
    path: AnnealingPath, v: Tensor, betas: Tensor, odd: bool, generator: Generator | None = None
) -> Tensor:
    """A Gibbs step of every chain at its own temperature, then a swap: (R, M, D) -> the same."""
    v = path.gibbs(v, betas[:, None, None], generator)
    return swap_replicas(path, v, betas, odd, generator)
