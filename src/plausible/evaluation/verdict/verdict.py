"""Did it learn the distribution?  FAIL, PASS or INCONCLUSIVE for each defect, and for all together."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor

import plausible.evaluation.verdict.defects  # noqa: F401  # registers them
from plausible.core.errors import NotDefined
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.permutation import holm, observed, p_value, permuted, resampled
from plausible.evaluation.verdict.defect import Defect, NullSummary, PreparedTest, defects

ALPHA = 0.05  # of a false alarm anywhere in a verdict
POWER = 0.8  # with which the smallest detectable effect is detected
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
    needed            where the answer is INCONCLUSIVE, examples a side that would decide.
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


@dataclass(frozen=True)
class Verdict:
    """All results and the one answer: FAIL if any fails, PASS if all pass."""

    n: int
    results: tuple[TestResult, ...]

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
class _Found:
    """A test before the correction over all tests."""

    effect: float
    interval: tuple[float, float]
    p: float
    null: NullSummary


def run_tests(evalset: EvaluationSet, progress: Callable[[str], None] | None = None) -> Verdict:
    """Test every defect at once: |G| = |H| = n, G and H shuffled 1,999 times.

    Exact under the hypothesis that G and H are drawn alike, whatever T is.  A defect fails when its
    p-value is at most 0.05 after Holm's correction over all defects and its effect is above the
    margin; it passes when the smallest detectable effect is within the margin and nothing speaks for
    more; otherwise it is inconclusive and ``needed`` says how many examples would decide.
    progress(name) is called before each test.
    """
    n = min(len(evalset.samples), len(evalset.heldout))
    if n < 2:
        raise NotDefined(f"{n} examples on each side are too few for a verdict")
    evalset = replace(
        evalset, samples=evalset.samples[slice(0, n)], heldout=evalset.heldout[slice(0, n)]
    )
    generator = evalset.generator()
    now = observed(n)
    shuffled, redrawn = permuted(n, _SHUFFLES, generator), resampled(n, _RESAMPLES, generator)
    tests: dict[str, PreparedTest] = {}
    drawn: dict[Callable[[EvaluationSet], PreparedTest], tuple[PreparedTest, list[Tensor]]] = {}
    reasons: dict[str, str] = {}
    for name, kind in defects.items():
        if progress:
            progress(name)
        try:
            if kind.prepare not in drawn:
                test = kind(evalset)
                values = [test.statistic(labels) for labels in (now, shuffled, redrawn)]
                drawn[kind.prepare] = test, values
            tests[name] = drawn[kind.prepare][0]
        except NotDefined as refusal:
            reasons[name] = str(refusal)
    if not tests:
        raise NotDefined(f"no test is defined for these data: {'; '.join(reasons.values())}")
    level = ALPHA / len(tests)
    found: dict[str, _Found] = {}
    for name in tests:
        kind = defects[name]
        true, null, redraws = drawn[kind.prepare][1]
        # read along the whole interval, because an effect may be an absolute value
        low, high = kind.read(_interval(true, redraws)).aminmax()
        effect, null = kind.read(true).item(), kind.read(null)
        critical = null.quantile(1 - level).item()
        known = NullSummary(critical, null.std().item(), redraws.std().item(), n, n, level, POWER)
        found[name] = _Found(effect, (low.item(), high.item()), p_value(effect, null), known)
    adjusted = dict(zip(found, holm([f.p for f in found.values()]), strict=True))
    results = []
    for name, kind in defects.items():
        if name in found:
            results.append(_rule(kind, tests[name], found[name], adjusted[name]))
        else:
            results.append(TestResult(name, State.UNDEFINED, reasons[name], kind.margin))
    return Verdict(n, tuple(results))


def _rule(kind: Defect, test: PreparedTest, found: _Found, adjusted: float) -> TestResult:
    margin, n = kind.margin, found.null.n
    detectable = _detectable(test, found.null)
    significant, beyond = adjusted <= ALPHA, found.interval[1] > margin
    needed = None
    if significant and found.effect > margin:
        state, sentence = State.FAIL, kind.claim.format(effect=_percent(found.effect))
    elif detectable > margin:
        state, needed = State.INCONCLUSIVE, _needed(test, found.null, margin)
        least = f"no less than {_percent(detectable)}" if detectable < 1 else "nothing"
        sentence = f"{n:,} examples a side reveal {least}; {needed:,} would decide about {_percent(margin)}"
    elif found.effect > margin or (significant and beyond):
        # there, or so it seems, and too close to the margin: four times the examples halve the error
        state, needed = State.INCONCLUSIVE, 4 * n
        sentence = (
            f"{_percent(found.effect)} was found, too close to {_percent(margin)} to decide; "
            f"{needed:,} examples a side might"
        )
    else:
        state, sentence = State.PASS, kind.fine.format(margin=_percent(margin))
    return TestResult(
        kind.name,
        state,
        sentence,
        margin,
        found.effect,
        found.interval,
        found.p,
        adjusted,
        detectable if math.isfinite(detectable) else None,
        needed,
    )


def _detectable(test: PreparedTest, null: NullSummary) -> float:
    """The smallest effect found; infinite where even the clearest split has a larger p than alpha."""
    few = null.n < 20 and 1 / math.comb(2 * null.n, null.n) > null.alpha
    return math.inf if few else test.detectable(null)


def _needed(test: PreparedTest, null: NullSummary, margin: float) -> int:
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
