"""One critic for two generators: it learns from samples of both, and which one's does it recognise more often?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import scipy
import torch

from plausible.core.errors import NotDefined
from plausible.evaluation.critic.critic import ASKED, FEWEST, critics, lessons
from plausible.evaluation.evaluation_set import EvaluationSet


@dataclass(frozen=True)
class SharedCritique:
    """What a critic of one aspect says of ``asked`` fresh samples of each side, and of held-out examples.

    hits          samples of either side that it takes for samples.
    false_alarms  the share of held-out examples that it takes for samples.
    """

    hits: tuple[int, int]
    asked: int
    false_alarms: float

    @property
    def effects(self) -> tuple[float, float]:
        """P(it says sample | a sample of that side) - P(it says sample | held out), which bounds a total variation."""
        first, second = (max(hits / self.asked - self.false_alarms, 0.0) for hits in self.hits)
        return first, second

    @property
    def p(self) -> float:
        """Fisher's exact test, two-sided: its answers are fixed, and who drew which sample is shuffled.

        Exact where both sides draw alike, as it learned from other samples of both.
        """
        table = [[hits, self.asked - hits] for hits in self.hits]
        return float(scipy.stats.fisher_exact(table).pvalue)

    @property
    def interval(self) -> tuple[float, float]:
        """Of the difference of the two shares at 95%, with a hit and a miss more on each side.

        Source: Agresti and Caffo 2000, doi:10.1080/00031305.2000.10474560.
        """
        n = self.asked + 2
        first, second = ((hits + 1) / n for hits in self.hits)
        reach = 1.96 * math.sqrt((first * (1 - first) + second * (1 - second)) / n)
        return first - second - reach, first - second + reach

    def detectable(self, n_times: float, alpha: float, power: float) -> float:
        """The smallest difference of shares that ``n_times`` as many samples reveal at this level with this power."""
        share = min(max(sum(self.hits) / (2 * self.asked), 0.05), 0.95)
        z = float(scipy.stats.norm.isf(alpha / 2)) + float(scipy.stats.norm.ppf(power))
        return z * math.sqrt(2 * share * (1 - share) / (self.asked * n_times))


def ask_about_both(
    evalset: EvaluationSet,
    names: Sequence[str],
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, SharedCritique]:
    """{aspect: what its critic says}, of samples whose first half is one side's and whose second the other's.

    It learns from a third of either and from T; who is who it never hears.  Raises ``NotDefined`` for want of samples.
    """
    n, generator = len(evalset.samples) // 2, evalset.generator()
    asked = math.floor(ASKED * n)
    if n - asked < FEWEST or len(evalset.train) < FEWEST:
        raise NotDefined(f"{n} samples of each side teach a critic nothing")
    order = [torch.randperm(n, generator=generator) + start for start in (0, n)]
    fresh = torch.cat([rows[:asked] for rows in order])  # (2 asked,)
    learned = evalset.samples[torch.cat([rows[asked:] for rows in order])]
    found = {}
    for name, lesson in lessons(evalset, learned, names, generator, progress):
        (judge,) = critics(lesson, name, 1)
        threshold = lesson.threshold(judge.critic)
        said = judge.critic(evalset.samples[fresh]) > threshold  # (2 asked,)
        alarms = (judge.critic(evalset.heldout) > threshold).float().mean().item()
        hits = int(said[:asked].sum()), int(said[asked:].sum())
        found[name] = SharedCritique(hits, asked, alarms)
    return found
