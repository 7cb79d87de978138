"""What a kind of defect is: a statistic, the effect it measures, and the margin that is tolerated.

A statistic is a function of who is a sample and who is held out (``GroupLabels``): its value under the true
labels is what was found, its values under shuffled labels are its null.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import scipy
from torch import Tensor

from plausible.core.rule import Rule, Rules
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.verdict.planting import Plant

Statistic = Callable[[GroupLabels], Tensor]
Effect = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class NullSummary:
    """What is known of a statistic when nothing is wrong, for the question what it could find.

    critical, std  the 1 - alpha quantile and the standard deviation of the null at ``size``.
    stderr         the standard error of the statistic, before it becomes an effect; unlike ``std`` it
                   does not grow with a difference between G and H.
    n              examples a side for which the question is asked; ``size`` were there.
    """

    critical: float
    std: float
    stderr: float
    size: int
    n: int
    alpha: float
    power: float


@dataclass(frozen=True)
class PreparedTest:
    """One statistic, ready for one set.

    statistic   GroupLabels with B rows -> (B,).
    detectable  what is known of the null of the effect -> the smallest effect that is found.
    averaged    how many of n examples a side the statistic averages over: chance shrinks as the root of that.
    """

    statistic: Statistic
    detectable: Callable[[NullSummary], float]
    averaged: Callable[[int], float] = float


@dataclass(frozen=True)
class ExactTest:
    """A test whose answer is known in closed form: nothing is shuffled, nothing redrawn.

    effect, interval, p  as in ``TestResult``; the effect is what is certain at least.
    detectable           n, the level and the power that are asked for -> the smallest effect that is found.
    few                  why it cannot say that there is nothing, where it cannot; empty otherwise.
    """

    effect: float
    interval: tuple[float, float]
    p: float
    detectable: Callable[[NullSummary], float]
    few: str = ""


Prepare = Callable[[EvaluationSet], PreparedTest | ExactTest]


@dataclass(frozen=True)
class Defect(Rule):
    """A kind of defect: the rule that tests for it, what is said of it, and how much of it matters.

    function       f(evalset) makes the statistic; two defects may share it.
    margin         effects up to this are tolerated.
    fail_sentence  what is wrong when it fails; {effect} stands for the number.
    pass_sentence  what is known when it passes; {margin} stands for the number.
    effect         the effect, larger is worse, from the statistic: (B,) -> (B,).
    voids          where its failing voids every PASS of the others: the reason.
    plant          puts the defect into real points, as large as its effect is asked to be; see ``planting``.
    aspect         which critic the test asks, where it is one.
    directions     what {direction} in the sentence stands for where the statistic is below and above 0.
    """

    function: Prepare
    margin: float
    fail_sentence: str
    pass_sentence: str
    effect: Effect
    voids: str = ""
    plant: Plant | None = None
    aspect: str | None = None
    directions: tuple[str, str] = ("", "")


defects = Rules("defect")
"""Every kind of defect the verdict looks for, by name, in the order of its table."""


def defect(
    name: str,
    margin: float,
    fail_sentence: str,
    pass_sentence: str,
    effect: Effect = lambda statistic: statistic,
    voids: str = "",
    plant: Plant | None = None,
    aspect: str | None = None,
    directions: tuple[str, str] = ("", ""),
) -> Callable[[Prepare], Prepare]:
    """Register prepare(evalset) -> PreparedTest or ExactTest; it raises ``NotDefined`` where the defect is not defined."""

    def register(prepare: Prepare) -> Prepare:
        sentences = fail_sentence, pass_sentence
        how = Defect(name, None, prepare, margin, *sentences, effect, voids, plant, aspect)
        defects(replace(how, directions=directions))
        return prepare

    return register


def detectable_shift(null: NullSummary) -> float:
    """(z_alpha + z_power) stderr, the smallest difference of means; the error shrinks as n^-1/2."""
    z = float(scipy.special.ndtri(null.power)) - float(scipy.special.ndtri(null.alpha))
    return z * null.stderr * math.sqrt(null.size / null.n)


def detectable_excess(null: NullSummary) -> float:
    """critical + z_power std, for a statistic whose null is not normal; both shrink as n^-1/2."""
    scale = math.sqrt(null.size / null.n)
    return scale * (null.critical + float(scipy.special.ndtri(null.power)) * null.std)


def detectable_rate(null: NullSummary, base_rate: float) -> float:
    """The smallest excess e of a share over ``base_rate`` that an exact comparison of two counts finds.

    The smallest count that is significant beside the count expected of real data, then the mean at
    which that count is reached with the power asked for.
    """
    expected, low, high = round(base_rate * null.n), 0, 1
    # bdtrc(k, n, p) = P(X > k) of a binomial X, without what scipy.stats does around it
    while scipy.special.bdtrc(high - 1, high + expected, 0.5) > null.alpha:
        low, high = high, 2 * high
    while high - low > 1:
        count = (low + high) // 2
        significant = scipy.special.bdtrc(count - 1, count + expected, 0.5) <= null.alpha
        low, high = (low, count) if significant else (count, high)
    # half the quantile of chi^2 with 2 high degrees of freedom
    return float(scipy.special.gammaincinv(high, null.power)) / null.n - base_rate
