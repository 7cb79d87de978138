"""How many updates critics needed until they were right about 75%, and what that says while some never were."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean, stdev

from plausible.core.likelihood import Kind

LEVEL = 0.75
"""The share of right answers at which a critic is said to tell the two apart, half way from a guess to certainty."""

_FIRST = 5  # updates after which a critic is asked first
_STEP = math.sqrt(2)


@dataclass(frozen=True)
class Effort:
    """What critics of images of one size needed.

    side      pixels of the shorter side that they saw; None for all there is.
    needed    the updates of each critic; infinite where the budget was not enough.
    budget    updates at most.
    accuracy  the mean share of right answers where each stopped.
    taught    samples that each learned from.
    asked     samples that each was asked about, none of which it had learned from.
    """

    side: int | None
    needed: tuple[float, ...]
    budget: int
    accuracy: float
    taught: int
    asked: int

    @property
    def updates(self) -> float:
        """The geometric mean; those who did not get there count with the budget."""
        return math.exp(fmean(self._logs))

    @property
    def kind(self) -> Kind:
        """``≥`` where a critic did not get there."""
        return Kind.ESTIMATE if max(self.needed) < math.inf else Kind.LOWER

    @property
    def stderr(self) -> float | None:
        """Of the mean, by the spread of the logarithms; None for a bound."""
        if self.kind is Kind.LOWER or len(self.needed) < 2:
            return None
        return self.updates * stdev(self._logs) / math.sqrt(len(self.needed))

    @property
    def _logs(self) -> list[float]:
        return [math.log(min(needed, self.budget)) for needed in self.needed]


def milestones(budget: int) -> Iterator[int]:
    """The updates after which a critic is asked: 5, 7, 10, 14, ..., a half more each time, and the budget."""
    at = float(_FIRST)
    while round(at) < budget:
        yield round(at)
        at *= _STEP
    yield budget


def crossing(before: tuple[int, float], after: tuple[int, float], level: float = LEVEL) -> float:
    """Where accuracy, linear in the logarithm of updates from one (updates, accuracy) to the next, is ``level``.

    >>> round(crossing((10, 0.5), (40, 1.0)))
    20
    """
    share = (level - before[1]) / (after[1] - before[1])
    return before[0] * (after[0] / before[0]) ** share
