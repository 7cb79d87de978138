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


def class_conditional(
    score: Callable[[NoveltyInput], Tensor],
    usual: tuple[NoveltyInput, Tensor],
    y: Tensor,
    inputs: tuple[NoveltyInput, Tensor],
) -> Tensor:
    """The p-value of each of m inputs among examples of each class, as one of that class: (m, classes).

    usual, inputs  what is known of n examples and m inputs, and their log p(x | y), (n, classes) and (m, classes), which
                   takes the place of log p(x) in the score.
    y              labels of the examples, (n,).
    Of data of class y at most a share a have p_y <= a, for every class by itself, where a common threshold may refuse
    nearly all of a rare or difficult one; what is of none of the classes has a small p_y for all y.
    Source: Vovk, Gammerman and Shafer 2005, doi:10.1007/b106715 (Mondrian conformal prediction).
    """
    columns = []
    for label in range(usual[1].shape[1]):
        of_class = (y == label).nonzero()[:, 0]
        own, asked = (replace(known, log_prob=log_p[:, label]) for known, log_p in (usual, inputs))
        columns.append(full_conformal(score, own[of_class], asked))
    return torch.stack(columns, 1)


def false_discoveries(p: Tensor, rate: float) -> Tensor:
    """Which inputs are implausible so that on average at most a share ``rate`` of those is not: p-values (m,) -> (m,) bool.

    Benjamini and Hochberg's rule: all up to the largest k with p_(k) <= k rate / m.  Conformal p-values share their
    examples and so depend on each other, positively, which keeps the rule valid where the score does not itself
    depend on the inputs, as likelihood, ratio and complexity do not (Bates et al. 2023, doi:10.1214/22-AOS2244).
    Source: Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    from scipy.stats import false_discovery_control

    if not 0 < rate < 1:
        raise UsageError(f"the rate of false discoveries must lie between 0 and 1, not {rate}")
    if not len(p):
        return torch.zeros(0, dtype=torch.bool)
    adjusted = torch.from_numpy(false_discovery_control(p.double().cpu().numpy()))
    return adjusted <= rate + 1e-12


def scope(n: int, of: str = "") -> str:
    """What n examples can say at all, before anything is asked."""
    return (
        f"each input is held against {n:,} validation example{'s' * (n != 1)}{of}, so no p-value is below "
        f"1/{n + 1:,} = {_rounded_up(smallest_p(n))}"
    )


def without_density(name: str, false_discovery_rate: float | None, class_conditional: bool) -> str:
    """What a model of p(y | x) alone can say: that nothing is implausible; UsageError where flags ask for more."""
    asked = {
        "--false-discovery-rate": false_discovery_rate is not None,
        "--class-conditional": class_conditional,
    }
    for flag in (flag for flag, there in asked.items() if there):
        raise UsageError(f"{flag} asks how plausible x is, and a {name} says only p(y | x)")
    return f"a {name} says only p(y | x), so no input can be called implausible"


def fewest_discoveries(n: int, m: int, rate: float) -> str | None:
    """Where one input alone, however odd, cannot be refused among m at this rate: how many it takes."""
    least = math.ceil(m * smallest_p(n) / rate - 1e-9)
    if least <= 1:
        return None
    if least > m:
        return (
            f"no input can be refused at a false discovery rate of {rate:g}: that takes {examples_needed(rate):,} validation "
            f"examples, and there are {n:,}"
        )
    return (
        f"at a false discovery rate of {rate:g} none of {m:,} inputs is refused unless at least {least:,} of them are odder "
        f"than all {n:,} examples"
    )


def smallest_p(n: int) -> float:
    """The smallest p-value that n examples allow, 1 / (n + 1)."""
    return 1 / (n + 1)


def examples_needed(level: float) -> int:
    """The least n with 1 / (n + 1) <= level: with fewer examples no p-value is so small."""
    return math.ceil(1 / level - 1e-9) - 1


def too_few(n: int, level: float, most: int, of: str = "") -> str | None:
    """Where n examples cannot tell what is implausible at this level: a sentence that says what would do.

    most  so many examples are compared with at the most, whatever there are.
    of    of which class they are, in words.
    """
    least, needed = smallest_p(n), examples_needed(level) if level > 0 else 0
    if least <= level or level <= 0:
        return None
    more = f"{needed:,} examples, or " if needed <= most else ""
    return (
        f"no input can be called implausible at a level of {level:g}: the validation part has {n:,} "
        f"{'example' if n == 1 else 'examples'}{of} to compare it with, so no p-value is below "
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
