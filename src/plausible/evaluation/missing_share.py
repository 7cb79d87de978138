"""The share of real data in modes that samples hardly reach: one formula, while a model learns and afterwards."""

import numpy as np
import scipy
from torch import Tensor


def missing_share(real: Tensor, samples: Tensor) -> Tensor:
    """sum_k max(0, p_k - 2 q_k), p real shares and q shares among samples: (..., K) both -> (...).

    A mode without any sample counts with its whole share; one that has half of its due counts nothing.
    """
    return (real - 2 * samples).clamp(min=0).sum(-1)


def missing_by_chance(real: Tensor, n: int) -> float:
    """What n samples of the real shares (K,) miss on average: sum_k E max(0, p_k - 2 X / n), X ~ Binomial(n, p_k)."""
    p = real.double().numpy()
    counts = np.arange(n + 1)[:, None]  # (n + 1, 1)
    missed = np.clip(p - 2 * counts / n, 0, None)  # (n + 1, K)
    return float((scipy.stats.binom.pmf(counts, n, p) * missed).sum())
