"""Which of two generators is better, in what, and is the difference real?  Paired tests on the same held-out data.

A and B draw n points each, H is held against both.  For every defect that the verdict knows, the effect of A less
that of B is looked at, and who drew which point is shuffled: exact where A and B draw from one law, whatever H and T
are, and however wrong that law is.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

import scipy
import torch
from torch import Generator, Tensor

from plausible.core import notebook
from plausible.core.errors import NotDefined
from plausible.evaluation.critic.critic import aspects
from plausible.evaluation.critic.shared import SharedCritique, ask_about_both
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.permutation import GroupLabels, grouped, holm, p_value
from plausible.evaluation.verdict.defect import (
    Defect,
    Effect,
    NullSummary,
    PreparedTest,
    Statistic,
    defects,
)
from plausible.evaluation.verdict.verdict import ALPHA

POWER = 0.9  # with which the number of samples that is said decides
_SHUFFLES, _RESAMPLES = 1999, 999
_CHUNK = 250  # of them at once
_MOST = 10**5  # samples beyond which nobody draws
_UNSEEN = (
    "in these data a difference as large as its margin hardly shows, however many samples there are"
)


class Answer(StrEnum):
    """The answer for one defect."""

    A = "A is better"
    B = "B is better"
    ALIKE = "no difference found"
    UNDECIDED = "too few to say"
    UNDEFINED = "not defined"


@dataclass(frozen=True)
class PairedResult:
    """What one paired test found.

    effects      of A and of B, larger is worse, none below 0.
    difference, interval  effect of A less that of B, with its 95% bootstrap interval, H as it is.
    p, adjusted  two-sided, and Holm's over all tests of the comparison.
    detectable   the smallest difference that n samples a side reveal with power 0.9.
    needed       samples a side that would decide about a difference as large as the margin, where these do not.
    """

    name: str
    answer: Answer
    margin: float
    effects: tuple[float, float] | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    adjusted: float | None = None
    detectable: float | None = None
    needed: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two generators, defect by defect.

    names  of A and B, for people.
    n      samples of each; ``heldout`` examples are held against both.
    log_prob  mean of log p_A(x) - log p_B(x) over held-out x in nats and its standard error, where both are known.
    log_prob_note  how the two are known, or why they are not.
    features  by which modes were found, for people.
    """

    names: tuple[str, str]
    n: int
    heldout: int
    results: tuple[PairedResult, ...]
    log_prob: tuple[float, float] | None = None
    log_prob_note: str = ""
    features: str = ""
    notes: tuple[str, ...] = ()

    def of(self, answer: Answer) -> list[PairedResult]:
        """The defects with that answer."""
        return [result for result in self.results if result.answer is answer]

    @property
    def sentence(self) -> str:
        """Who is better in what, what is alike, and what is open."""
        first, second = self.names
        parts = []
        for answer, who in ((Answer.A, first), (Answer.B, second)):
            if self.of(answer):
                parts.append(f"{who} is better in {_listed(self.of(answer))}")
        if self.of(Answer.ALIKE):
            parts.append(f"no difference found in {_listed(self.of(Answer.ALIKE))}")
        open_ = self.of(Answer.UNDECIDED)
        if open_:
            needed = max(result.needed or 0 for result in open_)
            parts.append(
                f"{self.n:,} samples of each do not decide about {_listed(open_)}; {needed:,} would"
            )
        return "; ".join(parts)

    @property
    def exit_code(self) -> int:
        """1 where A is worse than B in anything, 3 where too few samples could tell, 0 otherwise: A may take B's place."""
        return 1 if self.of(Answer.B) else 3 if self.of(Answer.UNDECIDED) else 0

    def __repr__(self) -> str:
        return f"Comparison of {self.names[0]} with {self.names[1]}: {self.sentence}"

    def _repr_html_(self) -> str:
        rows = [
            (
                result.name,
                *(f"{effect:.1%}" for effect in result.effects or ()),
                "" if result.adjusted is None else f"{result.adjusted:.2g}",
                str(result.answer),
            )
            for result in self.results
            if result.answer is not Answer.UNDEFINED
        ]
        return notebook.line(repr(self)) + notebook.table(("defect", *self.names, "p", ""), rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a file."""
        return {**asdict(self), "sentence": self.sentence, "alpha": ALPHA, "power": POWER}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Comparison":
        """The comparison that ``to_dict`` wrote, where lists stand for tuples."""
        kept = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        results = [{k: _tupled(v) for k, v in row.items()} for row in values["results"]]
        rows = tuple(PairedResult(**row | {"answer": Answer(row["answer"])}) for row in results)
        return cls(**{k: _tupled(v) for k, v in kept.items()} | {"results": rows})


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class _Found:
    """Of one defect, before the correction over all: detectable(times as many samples, level)."""

    effects: tuple[float, float]
    difference: float
    interval: tuple[float, float]
    p: float
    detectable: Callable[[float, float], float]


def compare_defects(
    evalset: EvaluationSet,
    progress: Callable[[str, float], None] = lambda stage, share: None,
    *,
    shown: Mapping[str, float] | None = None,
    critics: bool = True,
) -> tuple[PairedResult, ...]:
    """Every defect of samples whose first half is A's and whose second half is B's, n each, against the same H.

    What the critics of the verdict look at, one critic looks at that learns from both, see ``ask_about_both``;
    without ``critics`` that is left out, which takes most of the time.
    shown  {defect: how large a difference its margin makes in these data}, see ``planted_effects``; by default all of it.
    Raises ``NotDefined`` where no test is defined.
    """
    n, found, reasons = len(evalset.samples) // 2, {}, {}
    prepared: dict[Callable[..., Any], PreparedTest] = {}
    asking = "a critic learns to tell samples of both from real data"
    try:
        if not critics:
            raise NotDefined("no critic is asked")
        critiques = ask_about_both(
            evalset, aspects(evalset.space), lambda share: progress(asking, share)
        )
    except NotDefined as reason:
        critiques, reasons = {}, {name: str(reason) for name, one in defects.items() if one.aspect}
    for name, defect in defects.items():
        progress(f"comparing: {name}", 1.0)
        try:
            if defect.aspect in critiques:
                found[name] = _by_critic(critiques[defect.aspect])
            elif name not in reasons and defect.aspect is not None:
                defect.function(evalset)  # says why it has no such aspect
            elif defect.aspect is None:
                if defect.function not in prepared:
                    prepared[defect.function] = defect.function(evalset)
                seen = (shown or {}).get(name, defect.margin)
                hidden = max(defect.margin - seen, 0.0) if seen > 0 else math.inf
                test = prepared[defect.function]
                found[name] = _by_shuffling(test, defect.effect, evalset, hidden)
        except NotDefined as reason:
            reasons.setdefault(name, str(reason))
    if not found:
        raise NotDefined(f"nothing can be compared: {'; '.join(dict.fromkeys(reasons.values()))}")
    adjusted = dict(zip(found, holm([one.p for one in found.values()]), strict=True))
    level = ALPHA / len(found)
    return tuple(
        _result(defect, found[name], adjusted[name], n, level)
        if name in found
        else PairedResult(name, Answer.UNDEFINED, defect.margin, reason=reasons.get(name, ""))
        for name, defect in defects.items()
    )


def _by_critic(critique: SharedCritique) -> _Found:
    first, second = critique.effects
    difference = (critique.hits[0] - critique.hits[1]) / critique.asked
    return _Found(
        (first, second),
        difference,
        critique.interval,
        critique.p,
        lambda times, level: critique.detectable(times, level, POWER),
    )


def _by_shuffling(
    test: PreparedTest, effect: Effect, evalset: EvaluationSet, hidden: float
) -> _Found:
    """D = e(A, H) - e(B, H), e none below 0, beside its values under 1,999 shuffles of A with B.

    hidden  so much of a difference as large as the margin is not seen in these data.
    """
    n, held, generator = len(evalset.samples) // 2, len(evalset.heldout), evalset.generator()
    statistic = test.statistic
    observed = _effects(statistic, effect, *_sides((torch.arange(2 * n) < n)[None], held))  # (2, 1)
    null = torch.cat(
        [
            _effects(statistic, effect, *_sides(_shuffled(n, few, generator), held))
            for few in _chunks(_SHUFFLES)
        ],
        1,
    )  # (2, B)
    redrawn = torch.cat(
        [
            _effects(statistic, effect, *_redrawn(n, held, few, generator))
            for few in _chunks(_RESAMPLES)
        ],
        1,
    )  # (2, R)
    difference, shuffled = _difference(observed).item(), _difference(null)
    low, middle, high = _difference(redrawn).quantile(torch.tensor([0.025, 0.5, 0.975])).tolist()
    # of effects that may be below 0, as a clamped one hides how much it varies
    error = max(float((null[0] - null[1]).std()), float((redrawn[0] - redrawn[1]).std()))

    def detectable(times: float, level: float) -> float:
        normal = float(scipy.stats.norm.isf(level / 2)) * error
        critical = max(shuffled.abs().quantile(1 - level).item(), normal)
        more = test.averaged(round(n * times)) / test.averaged(n)
        smooth = (critical + float(scipy.stats.norm.ppf(POWER)) * error) / math.sqrt(more)
        # what so few samples cannot show even where the data have none of it, such as one copy in a hundred; one point
        # that the better side has by chance asks for three more of the other
        few = NullSummary(0.0, 0.0, 0.0, n, round(n * times), level / 2, POWER)
        return max(smooth + hidden, test.detectable(few) + 3 / (n * times))

    first, second = observed.clamp(min=0)[:, 0].tolist()
    # the percentiles, and the same moved so that their middle is what was found: redrawing makes some effects larger
    moved = difference - middle
    interval = min(low, low + moved), max(high, high + moved)
    p = p_value(abs(difference), shuffled.abs())
    return _Found((first, second), difference, interval, p, detectable)


def _difference(effects: Tensor) -> Tensor:
    """What A has more of a defect than B, where less than none is none: (2, B) -> (B,)."""
    first, second = effects.clamp(min=0)
    return first - second


def _effects(
    statistic: Statistic, effect: Effect, first: GroupLabels, second: GroupLabels
) -> Tensor:
    """Of both sides: (2, B)."""
    return torch.stack([effect(statistic(labels)) for labels in (first, second)])


def _sides(is_first: Tensor, held: int) -> tuple[GroupLabels, GroupLabels]:
    """A against H and B against H, of 2n samples then H, by who is A's: bool (B, 2n) -> B rows each."""
    nobody = is_first.new_zeros(len(is_first), held)
    heldout = torch.cat([torch.zeros_like(is_first), ~nobody], 1)  # (B, 2n + |H|)
    first, second = (
        grouped(torch.cat([side, nobody], 1), heldout) for side in (is_first, ~is_first)
    )
    return first, second


def _shuffled(n: int, draws: int, generator: Generator) -> Tensor:
    """Random halves of 2n samples: bool (B, 2n)."""
    return torch.rand(draws, 2 * n, generator=generator).argsort(1) < n


def _redrawn(
    n: int, held: int, draws: int, generator: Generator
) -> tuple[GroupLabels, GroupLabels]:
    """Bootstrap samples of A and of B, each with replacement, as weights; H is the same for both, and stays."""
    first, second = _sides((torch.arange(2 * n) < n).expand(draws, -1), held)
    counts = torch.zeros(draws, 2 * n + held)
    for start in (0, n):
        rows = torch.randint(n, (draws, n), generator=generator) + start
        counts.scatter_add_(1, rows, torch.ones(draws, n))
    return replace(first, g=counts * first.g), replace(second, g=counts * second.g)


def _chunks(count: int) -> list[int]:
    return [min(_CHUNK, count - start) for start in range(0, count, _CHUNK)]


def _result(defect: Defect, found: _Found, adjusted: float, n: int, level: float) -> PairedResult:
    detectable, needed = found.detectable(1.0, level), None
    low, high = found.interval
    # whoever differs much in one defect is told apart in its opposite too, where neither has any to speak of
    if adjusted <= ALPHA and (low > 0 or high < 0):
        answer = Answer.A if found.difference < 0 else Answer.B
    elif detectable <= defect.margin:
        answer = Answer.ALIKE
    else:
        needed = _needed(found, defect.margin, n, level)
        answer = Answer.UNDEFINED if needed is None else Answer.UNDECIDED
    return PairedResult(
        defect.name, answer, defect.margin, found.effects, found.difference, found.interval,
        found.p, adjusted, detectable, needed, _UNSEEN if answer is Answer.UNDEFINED else "",
    )  # fmt: skip


def _needed(found: _Found, margin: float, n: int, level: float) -> int | None:
    """The samples a side at which a difference as large as the margin is found, by bisection; None where there is no such number."""
    low, high = n, 2 * n
    while found.detectable(high / n, level) > margin:
        if high > _MOST:
            return None
        low, high = high, 2 * high
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        enough = found.detectable(middle / n, level) <= margin
        low, high = (low, middle) if enough else (middle, high)
    return high if high < 100 else math.ceil(high / 10) * 10


def _listed(results: list[PairedResult]) -> str:
    *others, last = [result.name for result in results]
    return f"{', '.join(others)} and {last}" if others else last
