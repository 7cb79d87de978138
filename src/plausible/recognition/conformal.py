"""A p-value of a score: how often data of the right kind score as high, whatever the score is."""

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.recognition.novelty import NoveltyInput


class Conformal:
    """p(s) = (1 + #{calibration scores >= s}) / (n + 1): the chance that data of the right kind score so.

    Exact for n exchangeable scores of data that nothing was fitted on: P(p <= a) <= a for every a.
    Source: Vovk, Gammerman and Shafer 2005, doi:10.1007/b106715.
    """

    def __init__(self, scores: Tensor):
        if not len(scores):
            raise UsageError("a conformal p-value needs at least one example to compare with")
        self.scores = scores.double().cpu().nan_to_num(torch.inf).sort().values

    def __call__(self, scores: Tensor) -> Tensor:
        """(n,) scores -> (n,) p-values in (0, 1]; NaN counts as the most novel."""
        scores = scores.double().cpu().nan_to_num(torch.inf)
        below = torch.searchsorted(self.scores, scores)  # how many are smaller
        return (1 + len(self.scores) - below).double() / (len(self.scores) + 1)


def full_conformal(
    score: Callable[[NoveltyInput], Tensor], usual: NoveltyInput, inputs: NoveltyInput
) -> Tensor:
    """The p-value of each of m inputs among n examples of the right kind, for a score that is relative: (m,).

    An input and the examples are scored relative to all n + 1 of them, so that they stay exchangeable and every
    example serves twice: to say what is usual, and to be compared with.  What is impossible (log p of -inf) is
    as novel as can be, and says nothing of what is usual.
    Source: Vovk, Gammerman and Shafer 2005, doi:10.1007/b106715 (transductive conformal prediction).
    """
    p = []
    for row in range(len(inputs)):
        both = NoveltyInput.cat([usual, inputs[slice(row, row + 1)]])  # n + 1
        finite = both[both.log_prob.isfinite()]
        scores = score(replace(both, in_distribution=finite))
        p.append(Conformal(scores[:-1])(scores[-1:]))
    return torch.cat(p) if p else torch.zeros(0, dtype=torch.float64)


def smallest_p(n: int) -> float:
    """The smallest p-value that n examples allow, 1 / (n + 1)."""
    return 1 / (n + 1)


def examples_needed(level: float) -> int:
    """The least n with 1 / (n + 1) <= level: with fewer examples no p-value is so small."""
    return math.ceil(1 / level - 1e-9) - 1


def too_few(n: int, level: float, most: int) -> str | None:
    """Where n examples cannot tell what is implausible at this level: a sentence that says what would do.

    most  so many examples are compared with at the most, whatever there are.
    """
    least, needed = smallest_p(n), examples_needed(level) if level > 0 else 0
    if least <= level or level <= 0:
        return None
    more = f"{needed:,} examples, or " if needed <= most else ""
    return (
        f"no input can be called implausible at a level of {level:g}: the validation part has {n:,} "
        f"{'example' if n == 1 else 'examples'} to compare it with, so no p-value is below "
        f"1/{n + 1} = {_rounded_up(least)}; {more}a level of {_rounded_up(least)} would do"
    )


def most_extreme(p: float, n: int, level: float) -> str:
    """All that n examples can say of an input whose p-value is the smallest and not below the level, or nothing."""
    if not 0 < level < p <= smallest_p(n):
        return ""
    return f"less plausible than {f'all {n:,} examples' if n > 1 else 'the one example'} it was held against"


def _rounded_up(p: float) -> str:
    """Two digits that are not below p, so that p is not above a level of as much."""
    digits = 1 - math.floor(math.log10(p))
    return f"{math.ceil(p * 10**digits - 1e-9) / 10**digits:g}"
