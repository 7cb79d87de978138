"""What a fixed critic answered: 2 accuracy - 1 bounds the total variation of G and H from below."""

import math
from dataclasses import dataclass

import scipy

_LEAST = 1e-300  # what is smaller would be rounded to 0, which no p-value is


@dataclass(frozen=True)
class Critique:
    """What a critic says of ``asked`` samples and as many held-out examples, none of which it had seen.

    hits          samples that it takes for samples.
    false_alarms  held-out examples that it takes for samples.
    asked         examples on each side.
    learned       samples that it learned from.
    updates       how often it changed before its best moment; the budget is what it was allowed.
    critic        what it is, for people.
    surest        the samples, of those it was asked about, that it is surest of, as rows of the evaluation set;
    most_real     and the held-out examples.

    sup_A G(A) - H(A) >= P_G(it says sample) - P_H(it says sample) = 2 accuracy - 1, whatever it learned.
    """

    hits: int
    false_alarms: int
    asked: int
    learned: int
    updates: int
    budget: int
    critic: str
    surest: tuple[int, ...] = ()
    most_real: tuple[int, ...] = ()

    @property
    def correct(self) -> int:
        """How many of the 2 ``asked`` it is right about."""
        return self.hits + self.asked - self.false_alarms

    @property
    def accuracy(self) -> float:
        """Share of right answers; one half when nothing can be told."""
        return self.correct / (2 * self.asked)

    @property
    def p(self) -> float:
        """Fisher's exact test, one-sided: its answers are fixed and who is a sample is shuffled.

        Exact under the hypothesis that fresh samples and held-out data are drawn alike.
        """
        taken = self.hits + self.false_alarms
        p = float(scipy.stats.hypergeom.sf(self.hits - 1, 2 * self.asked, self.asked, taken))
        return max(p, _LEAST)

    @property
    def bound(self) -> float:
        """The total variation is at least this, with a confidence of 95%."""
        return max(0.0, 2 * self._quantile(0.05) - 1)

    @property
    def interval(self) -> tuple[float, float]:
        """Of 2 P(right) - 1 of this critic at 95%, cut at 0."""
        return max(0.0, 2 * self._quantile(0.025) - 1), max(0.0, 2 * self._quantile(0.975) - 1)

    def _quantile(self, level: float) -> float:
        """An exact one-sided bound on the accuracy, from below for levels under one half.

        The two sides may be right with different chances, which makes the tails of their sum no heavier
        than the binomial's.
        Sources: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404; Hoeffding 1956,
        doi:10.1214/aoms/1177728178 (unequal chances).
        """
        right, wrong = self.correct, 2 * self.asked - self.correct
        if level < 0.5:
            return float(scipy.stats.beta.ppf(level, right, wrong + 1)) if right else 0.0
        return float(scipy.stats.beta.ppf(level, right + 1, wrong)) if wrong else 1.0


def detectable_variation(asked: float, alpha: float, power: float) -> float:
    """The smallest 2 P(right) - 1 that ``asked`` examples a side reveal: (z_alpha + z_power) sqrt(1 / (2 asked)).

    Infinite where even a critic that is always right would not be significant.
    """
    few = asked < 20 and 1 / math.comb(2 * int(asked), int(asked)) > alpha
    if few or asked < 1:
        return math.inf
    z = float(scipy.stats.norm.isf(alpha)) + float(scipy.stats.norm.ppf(power))
    return z * math.sqrt(0.5 / asked)
