"""Are all modes there, and in the right shares?"""

import math
from functools import cache
from weakref import WeakKeyDictionary

import numpy as np
import scipy
import torch
from torch import Generator, Tensor
from torch.nn.functional import one_hot

from plausible.core.errors import NotDefined
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.missing_share import missing_share
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.shape_bins import COARSE, FINE, shape_bins
from plausible.evaluation.verdict.defect import NullSummary, PreparedTest, defect
from plausible.evaluation.verdict.planting import Planted, groups, left_out


def without_a_group(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """No sample of one group, or of as many small ones as hold about ``effect``: another choice in each of 20 variants."""
    mine, _ = groups(points, train, generator)
    shares = torch.bincount(mine) / len(points)  # (K,)
    kept = torch.ones(20, len(points))
    for variant in kept:
        for k in torch.randperm(len(shares), generator=generator):
            lost = 1 - variant.mean().item()
            if lost + shares[k] / 2 < effect:  # nearer to what is asked with it
                variant[mine == k] = 0
    if (kept == 1).all():  # every group is larger: the smallest
        kept[:, mine == shares.argmin()] = 0
    return left_out(points, kept)


def shares_off(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """About half of the groups, others in each variant, have so much less of their share that w is ``effect``."""
    mine, _ = groups(points, train, generator, *COARSE)
    shares = torch.bincount(mine) / len(points)  # (K,)
    kept = torch.ones(20, len(points))
    for variant in kept:
        order = torch.randperm(len(shares), generator=generator)
        count = int((shares[order].cumsum(0) < 0.5).sum()) + 1
        count = min(count, len(shares) - 1)  # of two groups, one
        fewer = torch.isin(mine, order[:count])
        variant[fewer] = _thinned(fewer.float().mean().item(), effect)
    return left_out(points, kept)


def _thinned(share: float, effect: float) -> float:
    """The chance to stay of points that hold ``share`` at which w of them and the others is ``effect``, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        q = middle * share / (middle * share + 1 - share)
        square = (q - share) ** 2 * (2 / (q + share) + 2 / max(2 - q - share, 1e-9))
        low, high = (middle, high) if math.sqrt(square) > effect else (low, middle)
    return high


@defect(
    "missing modes",
    0.05,
    "{effect} of the real data lie in modes that the samples (nearly) never reach",
    "no modes that hold {margin} of the real data are missing",
    effect=lambda mass: mass.clamp(min=0),
    plant=without_a_group,
)
def missing_modes(evalset: EvaluationSet) -> PreparedTest:
    """sum_k max(0, p_k - 2 q_k): real mass p of modes whose share q among samples is under a half.

    A mode without any sample counts with its whole mass; shares above one half of the real ones
    count nothing, so unevenness alone does not.  What chance adds in small modes is taken off.  The largest
    over all ``partitions``.
    """
    every = [one_hot(modes).float() for modes in partitions(evalset, *FINE)]
    chance = [_by_chance(modes, len(evalset.heldout)) for modes in every]

    def statistic(labels: GroupLabels) -> Tensor:
        masses = []
        for modes, by_chance in zip(every, chance, strict=True):
            g, h = _shares(labels, modes)
            masses.append(missing_share(h, g) - by_chance)
        return torch.stack(masses).amax(0)  # (P, B) -> (B,)

    def detectable(null: NullSummary) -> float:
        # One absent mode with c real examples and no sample: any split is as lopsided with
        # probability 2^-c, for each of K modes.
        count = math.log2(sum(modes.shape[1] for modes in every) / null.alpha)
        # of a Poisson count
        mean = float(scipy.stats.chi2.ppf(null.power, 2 * math.ceil(count))) / 2
        return max(mean / null.n, null.critical * math.sqrt(null.size / null.n))

    return PreparedTest(statistic, detectable)


@defect(
    "uneven modes",
    0.25,
    "the shares of the modes are off by {effect} (root mean square, relative)",
    "shares of modes are not off by {margin} (root mean square, relative)",
    effect=lambda w: w.clamp(min=0),
    plant=shares_off,
)
def uneven_modes(evalset: EvaluationSet) -> PreparedTest:
    """w, w^2 = sum_k (q_k - p_k)^2 / ((p_k + q_k) / 2), without the part that chance adds.

    w^2 = 2 (X^2 - df) / n, X^2 the two-sample chi-square statistic; its sign is kept, so that the
    estimate is unbiased at 0.  The largest over all ``partitions``.
    Source: Cohen 1988, Statistical Power Analysis, chapter 7.
    """
    every = [one_hot(modes).float() for modes in partitions(evalset, *COARSE)]
    every = [modes[:, modes.sum(0) > 0] for modes in every]
    every = [modes for modes in every if modes.shape[1] > 1]
    if not every:
        raise NotDefined("all examples lie in one mode, so no shares can be compared")
    freedom = max(modes.shape[1] for modes in every) - 1

    def statistic(labels: GroupLabels) -> Tensor:
        n = 2 / (1 / labels.g.sum(1) + 1 / labels.h.sum(1))  # (B,)
        squares = []
        for modes in every:
            g, h = _shares(labels, modes)
            chi = n * ((g - h).square() / (g + h).clamp(min=1e-9)).sum(1)  # (B, K) -> (B,)
            squares.append(2 * (chi - (modes.shape[1] - 1)) / n)
        square = torch.stack(squares).amax(0)  # (P, B) -> (B,)
        return square.sign() * square.abs().sqrt()

    def detectable(null: NullSummary) -> float:
        return math.sqrt(2 * _noncentrality(freedom, null.alpha / len(every), null.power) / null.n)

    def averaged(n: int) -> float:
        return n / math.sqrt(min(max(n // COARSE[0], 2), COARSE[1]))  # of which each adds chance

    return PreparedTest(statistic, detectable, averaged)


_partitions: WeakKeyDictionary[EvaluationSet, dict[tuple[int, int], list[Tensor]]] = (
    WeakKeyDictionary()
)


def partitions(evalset: EvaluationSet, full: int = FINE[0], most: int = FINE[1]) -> list[Tensor]:
    """Ways to divide G and H into modes, each (N,): those of the set, and bins of shapes, see ``shape_bins``.

    Where modes are classes, half of each class may be missing; brightness, contrast and blur are no matter of modes.
    full, most  held-out examples in a bin, about, and the most bins.
    """
    known = _partitions.setdefault(evalset, {})
    if (full, most) not in known:
        known[full, most] = _divided(evalset, full, most)
    return known[full, most]


def _divided(evalset: EvaluationSet, full: int, most: int) -> list[Tensor]:
    bins = shape_bins(evalset.train.part, len(evalset.heldout), full, most)
    return [
        torch.cat([evalset.samples.modes, evalset.heldout.modes]),
        torch.cat([bins(evalset.samples.part), bins(evalset.heldout.part)]),
    ]


@cache
def _noncentrality(freedom: int, alpha: float, power: float) -> float:
    """n w^2 / 2 at which a chi-square test of that level has that power; the same for every n."""
    critical = float(scipy.stats.chi2.isf(alpha, freedom))
    low, high = 0.0, 1e4
    for _ in range(60):
        middle = (low + high) / 2
        found = float(scipy.stats.ncx2.sf(critical, freedom, middle)) >= power
        low, high = (low, middle) if found else (middle, high)
    return high


def _by_chance(modes: Tensor, n: int) -> float:
    """What chance gives when half of the c points of a mode are samples, on average, of 2n points in all: (N, K)."""
    total = 0.0
    for c in (modes.sum(0) * (2 * n / len(modes))).round().int().tolist():
        h = np.arange(c + 1)
        share = scipy.stats.binom.pmf(h, c, 0.5)
        total += float((share * np.clip(3 * h - 2 * c, 0, None)).sum()) / n
    return total


def pooled_modes(evalset: EvaluationSet) -> Tensor:
    """(N, K) float32: 1 where a point of G or H lies in a mode."""
    modes = torch.cat([evalset.samples.modes, evalset.heldout.modes])
    return one_hot(modes, len(evalset.names)).float()


def _shares(labels: GroupLabels, modes: Tensor) -> tuple[Tensor, Tensor]:
    """The share of each mode among samples and among held-out examples, (B, K) each."""
    g, h = labels.g @ modes, labels.h @ modes
    return g / g.sum(1, keepdim=True), h / h.sum(1, keepdim=True)
