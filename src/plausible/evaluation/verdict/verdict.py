"""Did it learn the distribution?  FAIL, PASS or INCONCLUSIVE for each defect, and for all together."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor

from plausible.core import notebook
from plausible.core.errors import NotDefined
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.permutation import holm, observed, p_value, permuted, resampled
from plausible.evaluation.verdict.defect import (
    Defect,
    ExactTest,
    NullSummary,
    PreparedTest,
    defects,
)

ALPHA = 0.05  # of a false alarm anywhere in a verdict
POWER = 0.8  # with which the smallest detectable effect is detected
FOUND = 0.8  # of the trials in which a planted margin must be found, or its absence says nothing
_SHUFFLES = 1999
_RESAMPLES = 999


class State(StrEnum):
    """The answer for one defect."""

    FAIL = "FAIL"
    PASS = "PASS"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNDEFINED = "not defined"


@dataclass(frozen=True)
class TestResult:
    """What one test found, and what it could have found.

    effect, interval  in the defect's own units, with its 95% bootstrap interval.
    p, adjusted       the permutation p-value, and Holm's over all tests of the verdict.
    detectable        the smallest effect that n examples a side reveal with power 0.8 at the level
                      that Holm's correction asks of the first rejection.
    needed            where the answer is INCONCLUSIVE for want of examples, those a side that would decide.
    power             the share of trials in which the margin, planted into real data, was found, where that was tried.
    direction         in which of two ways it is wrong, where its defect has two.
    """

    name: str
    state: State
    sentence: str
    margin: float
    effect: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    adjusted: float | None = None
    detectable: float | None = None
    needed: int | None = None
    power: float | None = None
    direction: str = ""


@dataclass(frozen=True)
class Verdict:
    """All results and the one answer: FAIL if any fails, PASS if all pass."""

    n: int
    results: tuple[TestResult, ...]

    def __repr__(self) -> str:
        counts = Counter(result.state for result in self.results)
        said = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
        return f"Verdict {self.state} ({said}; {self.n:,} a side)"

    def _repr_html_(self) -> str:
        rows = [(result.name, result.state, result.sentence) for result in self.results]
        return notebook.line(repr(self)) + notebook.table(("defect", "", "finding"), rows)

    @property
    def state(self) -> State:
        """The worst state of any defect that is defined for these data."""
        states = {result.state for result in self.results}
        return next(s for s in (State.FAIL, State.INCONCLUSIVE, State.PASS) if s in states)

    @property
    def exit_code(self) -> int:
        """0 PASS, 1 FAIL, 3 INCONCLUSIVE."""
        return {State.PASS: 0, State.FAIL: 1, State.INCONCLUSIVE: 3}[self.state]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for measures.json."""
        results = [asdict(result) for result in self.results]
        return {"state": str(self.state), "n": self.n, "alpha": ALPHA, "defects": results}


@dataclass(frozen=True)
class _Drawn:
    """A test and its statistic: as it is (1,), under shuffled labels (B,), and redrawn (R,)."""

    test: PreparedTest
    value: Tensor
    shuffled: Tensor
    redrawn: Tensor


@dataclass(frozen=True)
class _Uncorrected:
    """What one test found, before the correction over all tests; ``below`` whether its statistic is under 0."""

    test: PreparedTest | ExactTest
    below: bool
    effect: float
    interval: tuple[float, float]
    p: float
    null: NullSummary


def run_tests(
    evalset: EvaluationSet,
    progress: Callable[[str], None] | None = None,
    power: Mapping[str, float] | None = None,
) -> Verdict:
    """Test every defect at once: |G| = |H| = n, G and H shuffled 1,999 times.

    Exact under the hypothesis that G and H are drawn alike, whatever T is.  A defect fails when its
    p-value is at most 0.05 after Holm's correction over all defects and its effect is above the
    margin; it passes when the smallest detectable effect is within the margin and nothing speaks for
    more; otherwise it is inconclusive and ``needed`` says how many examples would decide.
    progress(name) is called before each test.
    power   {defect: how often its margin was found when planted into real data}, see ``power``: below 80% a
            test does not say PASS.
    """
    n = min(len(evalset.samples), len(evalset.heldout))
    if n < 2:
        raise NotDefined(f"{n} examples on each side are too few for a verdict")
    evalset = replace(
        evalset,
        samples=evalset.samples[slice(0, n)],
        heldout=evalset.heldout[slice(0, n)],
        spare=evalset.heldout[slice(n, None)],
    )
    drawn, reasons = _draw(evalset, n, progress)
    if not drawn:
        raise NotDefined(f"no test is defined for these data: {'; '.join(reasons.values())}")
    raw = {name: _uncorrected(defects[name], drawn[name], n, ALPHA / len(drawn)) for name in drawn}
    adjusted = dict(zip(raw, holm([result.p for result in raw.values()]), strict=True))
    results = []
    for name, defect in defects.items():
        if name in raw:
            results.append(_result(defect, raw[name], adjusted[name]))
        else:
            results.append(TestResult(name, State.UNDEFINED, reasons[name], defect.margin))
    return Verdict(
        n, _voided([_believed(result, (power or {}).get(result.name)) for result in results])
    )


def _believed(result: TestResult, power: float | None) -> TestResult:
    """No PASS by a test that was not seen to find what it looks for in these data."""
    result = replace(result, power=power)
    none = result.interval is not None and result.interval[1] < 0
    if power is None or power >= FOUND or result.state is not State.PASS or none:
        return result
    sentence = (
        f"{_percent(result.margin)} of it, planted into real data, was found in {power:.0%} of the trials, "
        "so that it was not found here says little"
    )
    return replace(result, state=State.INCONCLUSIVE, sentence=sentence)


def _voided(results: list[TestResult]) -> tuple[TestResult, ...]:
    """Without any PASS where a defect that voids them all has been found; nor would more examples decide."""
    found = [defects[result.name].voids for result in results if result.state is State.FAIL]
    reason = next(filter(None, found), None)
    if reason is None:
        return tuple(results)
    return tuple(
        replace(result, state=State.INCONCLUSIVE, sentence=reason, needed=None)
        if result.state in (State.PASS, State.INCONCLUSIVE)
        else result
        for result in results
    )


def _draw(
    evalset: EvaluationSet, n: int, progress: Callable[[str], None] | None
) -> tuple[dict[str, _Drawn | ExactTest], dict[str, str]]:
    """({defect: its statistic}, {defect: why it is not defined}); what two defects share is drawn once."""
    generator = evalset.generator()
    labels = (
        observed(n),
        permuted(n, _SHUFFLES, generator),
        resampled(n, _RESAMPLES, generator),
    )
    once: dict[Callable[[EvaluationSet], PreparedTest | ExactTest], _Drawn | ExactTest] = {}
    drawn: dict[str, _Drawn | ExactTest] = {}
    reasons: dict[str, str] = {}
    for name, defect in defects.items():
        if progress:
            progress(name)
        try:
            if defect.function not in once:
                test = defect.function(evalset)
                once[defect.function] = (
                    test
                    if isinstance(test, ExactTest)
                    else _Drawn(test, *(test.statistic(group) for group in labels))
                )
            drawn[name] = once[defect.function]
        except NotDefined as reason:
            reasons[name] = str(reason)
    return drawn, reasons


def _uncorrected(defect: Defect, drawn: _Drawn | ExactTest, n: int, level: float) -> _Uncorrected:
    if isinstance(drawn, ExactTest):
        asked = NullSummary(math.nan, math.nan, math.nan, n, n, level, POWER)
        return _Uncorrected(drawn, False, drawn.effect, drawn.interval, drawn.p, asked)
    # along the whole interval, because an effect may be an absolute value
    low, high = defect.effect(_interval(drawn.value, drawn.redrawn)).aminmax()
    effect, null = defect.effect(drawn.value).item(), defect.effect(drawn.shuffled)
    critical = null.quantile(1 - level).item()
    deviation, error = null.std().item(), drawn.redrawn.std().item()
    summary = NullSummary(critical, deviation, error, n, n, level, POWER)
    interval = low.item(), high.item()
    below = drawn.value.item() < 0
    return _Uncorrected(drawn.test, below, effect, interval, p_value(effect, null), summary)


def _result(defect: Defect, raw: _Uncorrected, adjusted: float) -> TestResult:
    margin, n, test = defect.margin, raw.null.n, raw.test
    detectable = _detectable(test, raw.null)
    significant, beyond = adjusted <= ALPHA, raw.interval[1] > margin
    exact = isinstance(test, ExactTest)  # whose interval holds whatever n is
    needed, direction = None, defect.directions[0 if raw.below else 1]
    if significant and raw.effect > margin:
        state = State.FAIL
        sentence = defect.fail_sentence.format(effect=_percent(raw.effect), direction=direction)
    elif detectable > margin and raw.interval[1] >= 0:  # below 0 there is surely none of it
        state, needed = State.INCONCLUSIVE, _needed(test, raw.null, margin)
        least = f"no less than {_percent(detectable)}" if detectable < 1 else "nothing"
        reason = f"{n:,} examples a side reveal {least}"
        if isinstance(test, ExactTest) and test.few:
            reason = test.few
        sentence = f"{reason}; {needed:,} would decide about {_percent(margin)}"
    elif raw.effect > margin or ((significant or exact) and beyond):
        # there, or so it seems, and too close to the margin: four times the examples halve the error
        state, needed = State.INCONCLUSIVE, 4 * n
        upper = f" to {_percent(raw.interval[1])}" if exact else ""
        sentence = (
            f"{_percent(raw.effect)}{upper} was found, too close to {_percent(margin)} to decide; "
            f"{needed:,} examples a side might"
        )
    else:
        state, sentence = State.PASS, defect.pass_sentence.format(margin=_percent(margin))
    return TestResult(
        defect.name,
        state,
        sentence,
        margin,
        raw.effect,
        raw.interval,
        raw.p,
        adjusted,
        detectable if math.isfinite(detectable) else None,
        needed,
        direction=direction,
    )


def _detectable(test: PreparedTest | ExactTest, null: NullSummary) -> float:
    """The smallest effect found; infinite where even the clearest split has a larger p than alpha."""
    few = null.n < 20 and 1 / math.comb(2 * null.n, null.n) > null.alpha
    return math.inf if few else test.detectable(null)


def _needed(test: PreparedTest | ExactTest, null: NullSummary, margin: float) -> int:
    """The smallest n at which the margin is detectable, by bisection over powers of two."""
    low, high = null.n, 2 * null.n
    while _detectable(test, replace(null, n=high)) > margin and high < 2**40:
        low, high = high, 2 * high
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        if _detectable(test, replace(null, n=middle)) <= margin:
            high = middle
        else:
            low = middle
    return high if high < 100 else math.ceil(high / 10) * 10


def _interval(statistic: Tensor, redrawn: Tensor) -> Tensor:
    """101 points of the 95% percentile interval of the bootstrap, moved so that its median is the value."""
    low, middle, high = redrawn.quantile(redrawn.new_tensor([0.025, 0.5, 0.975])) - statistic
    return statistic + torch.linspace(0, 1, 101) * (high - low) + low - middle


def _percent(value: float) -> str:
    return f"{value:.0%}" if abs(value) >= 0.1 else f"{value:.1%}"
