"""What a kind of defect is: a statistic, the effect it measures, and the margin that is tolerated.

A statistic is a function of who is a sample and who is held out (``GroupLabels``): its value under the true
labels is what was found, its values under shuffled labels are its null.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy import stats
from torch import Tensor

from plausible.core.registry import Registry
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.permutation import GroupLabels

Statistic = Callable[[GroupLabels], Tensor]
Read = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class NullSummary:
    """What is known of a statistic when nothing is wrong, for the question what it could find.

    critical, spread  the 1 - alpha quantile and the standard deviation of the null at ``size``.
    error             the standard error of the statistic, before it is read as an effect; unlike the
                      spread it does not grow with a difference between G and H.
    n                 examples a side for which the question is asked; ``size`` were there.
    """

    critical: float
    spread: float
    error: float
    size: int
    n: int
    alpha: float
    power: float


@dataclass(frozen=True)
class PreparedTest:
    """One statistic, ready for one evalset.

    statistic   GroupLabels with B rows -> (B,).
    detectable  what is known of the null of the effect -> the smallest effect that is found.
    """

    statistic: Statistic
    detectable: Callable[[NullSummary], float]


@dataclass(frozen=True)
class Defect:
    """A kind of defect: what is said of it, and how much of it matters.

    margin   effects up to this are tolerated.
    claim    what is wrong when it fails; {effect} stands for the number.
    fine     what is known when it passes; {margin} stands for the number.
    prepare  makes the statistic; two defects may share it.
    read     the effect, larger is worse, from the statistic: (B,) -> (B,).
    """

    name: str
    margin: float
    claim: str
    fine: str
    prepare: Callable[[EvaluationSet], PreparedTest]
    read: Read

    def __call__(self, evalset: EvaluationSet) -> PreparedTest:
        """The test, ready; ``NotDefined`` where the defect is not defined for these data."""
        return self.prepare(evalset)


defects: Registry[Defect] = Registry("defect")
"""Every kind of defect the verdict looks for, by name."""


def defect(
    name: str, margin: float, claim: str, fine: str, read: Read = lambda statistic: statistic
) -> Callable[[Callable[[EvaluationSet], PreparedTest]], Callable[[EvaluationSet], PreparedTest]]:
    """Register prepare(evalset) -> PreparedTest; it raises ``NotDefined`` where the defect is not defined."""

    def register(
        prepare: Callable[[EvaluationSet], PreparedTest],
    ) -> Callable[[EvaluationSet], PreparedTest]:
        defects(Defect(name, margin, claim, fine, prepare, read))
        return prepare

    return register


def shift(null: NullSummary) -> float:
    """(z_alpha + z_power) error, the smallest difference of means; the error shrinks as n^-1/2."""
    z = float(stats.norm.isf(null.alpha)) + float(stats.norm.ppf(null.power))
    return z * null.error * math.sqrt(null.size / null.n)


def excess(null: NullSummary) -> float:
    """critical + z_power spread, for a statistic whose null is not normal; both shrink as n^-1/2."""
    scale = math.sqrt(null.size / null.n)
    return scale * (null.critical + float(stats.norm.ppf(null.power)) * null.spread)


def rate(null: NullSummary, usual: float) -> float:
    """The smallest excess e of a share over ``usual`` that an exact comparison of two counts finds.

    The smallest count that is significant beside the count expected of real data, then the mean at
    which that count is reached with the power asked for.
    """
    expected, low, high = round(usual * null.n), 0, 1
    while stats.binom.sf(high - 1, high + expected, 0.5) > null.alpha:
        low, high = high, 2 * high
    while high - low > 1:
        count = (low + high) // 2
        found = stats.binom.sf(count - 1, count + expected, 0.5) <= null.alpha
        low, high = (low, count) if found else (count, high)
    return float(stats.chi2.ppf(null.power, 2 * high)) / 2 / null.n - usual
