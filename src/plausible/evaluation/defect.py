"""What a kind of defect is: a statistic, the effect it measures, and the margin that is tolerated.

A statistic is a function of who is a sample and who is held out (``Labels``): its value under the true
labels is what was found, its values under shuffled labels are its null.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy import stats
from torch import Tensor

from plausible.core.registry import Registry
from plausible.evaluation.permutation import Labels
from plausible.evaluation.study import Study

Statistic = Callable[[Labels], Tensor]
Read = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Null:
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
class Prepared:
    """One statistic, ready for one study.

    statistic   Labels with B rows -> (B,).
    detectable  what is known of the null of the effect -> the smallest effect that is found.
    """

    statistic: Statistic
    detectable: Callable[[Null], float]


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
    prepare: Callable[[Study], Prepared]
    read: Read

    def __call__(self, study: Study) -> Prepared:
        """The test, ready; ``Refused`` where the defect is not defined for these data."""
        return self.prepare(study)


defects: Registry[Defect] = Registry("defect")
"""Every kind of defect the verdict looks for, by name."""


def defect(
    name: str, margin: float, claim: str, fine: str, read: Read = lambda statistic: statistic
) -> Callable[[Callable[[Study], Prepared]], Callable[[Study], Prepared]]:
    """Register prepare(study) -> Prepared; it raises ``Refused`` where the defect is not defined."""

    def register(prepare: Callable[[Study], Prepared]) -> Callable[[Study], Prepared]:
        defects(Defect(name, margin, claim, fine, prepare, read))
        return prepare

    return register


def shift(null: Null) -> float:
    """(z_alpha + z_power) error, the smallest difference of means; the error shrinks as n^-1/2."""
    z = float(stats.norm.isf(null.alpha)) + float(stats.norm.ppf(null.power))
    return z * null.error * math.sqrt(null.size / null.n)


def excess(null: Null) -> float:
    """critical + z_power spread, for a statistic whose null is not normal; both shrink as n^-1/2."""
    scale = math.sqrt(null.size / null.n)
    return scale * (null.critical + float(stats.norm.ppf(null.power)) * null.spread)


def rate(null: Null, usual: float) -> float:
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
