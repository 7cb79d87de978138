"""Are all modes there, and in the right shares?"""

import math
from functools import cache

import numpy as np
import torch
from scipy import stats
from torch import Tensor
from torch.nn.functional import one_hot

from plausible.core.errors import NotDefined
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.verdict.defect import NullSummary, PreparedTest, defect


@defect(
    "missing modes",
    0.05,
    "{effect} of the real data lie in modes that the samples (nearly) never reach",
    "no modes that hold {margin} of the real data are missing",
    effect=lambda mass: mass.clamp(min=0),
)
def missing_modes(evalset: EvaluationSet) -> PreparedTest:
    """sum_k max(0, p_k - 2 q_k): real mass p of modes whose share q among samples is under a half.

    A mode without any sample counts with its whole mass; shares above one half of the real ones
    count nothing, so unevenness alone does not.  What chance adds in small modes is taken off.
    """
    modes, n = pooled_modes(evalset), len(evalset.samples)  # (N, K)
    # what chance gives when half of the c points of a mode are samples, on average
    by_chance = 0.0
    for c in modes.sum(0).int().tolist():
        h = np.arange(c + 1)
        by_chance += float((stats.binom.pmf(h, c, 0.5) * np.clip(3 * h - 2 * c, 0, None)).sum()) / n

    def statistic(labels: GroupLabels) -> Tensor:
        g, h = _shares(labels, modes)
        return (h - 2 * g).clamp(min=0).sum(1) - by_chance

    def detectable(null: NullSummary) -> float:
        # One absent mode with c real examples and no sample: any split is as lopsided with
        # probability 2^-c, for each of K modes.
        count = math.log2(modes.shape[1] / null.alpha)
        mean = float(stats.chi2.ppf(null.power, 2 * math.ceil(count))) / 2  # of a Poisson count
        return max(mean / null.n, null.critical * math.sqrt(null.size / null.n))

    return PreparedTest(statistic, detectable)


@defect(
    "uneven modes",
    0.4,
    "the shares of the modes are off by {effect} (root mean square, relative)",
    "shares of modes are not off by {margin} (root mean square, relative)",
    effect=lambda w: w.clamp(min=0),
)
def uneven_modes(evalset: EvaluationSet) -> PreparedTest:
    """w, w^2 = sum_k (q_k - p_k)^2 / ((p_k + q_k) / 2), without the part that chance adds.

    w^2 = 2 (X^2 - df) / n, X^2 the two-sample chi-square statistic; its sign is kept, so that the
    estimate is unbiased at 0.  Source: Cohen 1988, Statistical Power Analysis, chapter 7.
    """
    modes, n = pooled_modes(evalset), len(evalset.samples)
    modes = modes[:, modes.sum(0) > 0]
    freedom = modes.shape[1] - 1
    if freedom < 1:
        raise NotDefined("all examples lie in one mode, so no shares can be compared")

    def statistic(labels: GroupLabels) -> Tensor:
        g, h = _shares(labels, modes)
        chi = n * ((g - h).square() / (g + h).clamp(min=1e-9)).sum(1)  # (B, K) -> (B,)
        square = 2 * (chi - freedom) / n
        return square.sign() * square.abs().sqrt()

    def detectable(null: NullSummary) -> float:
        return math.sqrt(2 * _noncentrality(freedom, null.alpha, null.power) / null.n)

    return PreparedTest(statistic, detectable)


@cache
def _noncentrality(freedom: int, alpha: float, power: float) -> float:
    """n w^2 / 2 at which a chi-square test of that level has that power; the same for every n."""
    critical = float(stats.chi2.isf(alpha, freedom))
    low, high = 0.0, 1e4
    for _ in range(60):
        middle = (low + high) / 2
        found = float(stats.ncx2.sf(critical, freedom, middle)) >= power
        low, high = (low, middle) if found else (middle, high)
    return high


def pooled_modes(evalset: EvaluationSet) -> Tensor:
    """(N, K) float32: 1 where a point of G or H lies in a mode."""
    modes = torch.cat([evalset.samples.modes, evalset.heldout.modes])
    return one_hot(modes, len(evalset.names)).float()


def _shares(labels: GroupLabels, modes: Tensor) -> tuple[Tensor, Tensor]:
    """The share of each mode among samples and among held-out examples, (B, K) each."""
    g, h = labels.g @ modes, labels.h @ modes
    return g / g.sum(1, keepdim=True), h / h.sum(1, keepdim=True)
