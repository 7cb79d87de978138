"""What a verdict means in plain words, what limits the model, and what to try next."""

import math
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from plausible.data.source import has_no_path
from plausible.evaluation.report import Report
from plausible.evaluation.verdict.verdict import State, TestResult, Verdict
from plausible.tasks.commands import (
    other_command,
    remedy,
    resume_command,
    run_command,
    sized,
    train_command,
)
from plausible.tasks.course import Course, items_of
from plausible.tasks.limiting_factor import Limit, Limiting, find_limit
from plausible.tasks.plain_words import CRITIC, HEADS, PLAIN_WORDS
from plausible.tasks.too_short import too_short

_OVERFITTING = ("discriminator overfitting", "overfitting")
_LEADS = {
    "time": "too little time, most likely: ",
    "data": "too few data, most likely: ",
    "capacity": "too small a model, most likely: ",
    "unknown": "what limits it is not known: ",
}


class Next(NamedTuple):
    """Something to try: what it is, and the command; empty where there is none to copy."""

    what: str
    command: str = ""


@dataclass(frozen=True)
class Advice:
    """A verdict for people: sentences, and commands.

    state   FAIL, PASS or INCONCLUSIVE.
    defect  the one that matters most; empty where none fails.
    wrong, right, undecided  what is not as it should be, what is, and what nobody can say yet; may be empty.
    limit, because  what most likely limits the model, and by what numbers; None and empty where that was not asked.
    next    what to try, the best first.
    too_short  that the training was far shorter than it needs, so that all this says little; empty where it was not.
    """

    state: str
    defect: str
    wrong: str
    right: str
    undecided: str
    limit: Limit | None
    because: str
    evidence: Mapping[str, float]
    next: tuple[Next, ...]
    too_short: str = ""

    @property
    def head(self) -> str:
        """All of it in a few words."""
        return self.too_short or HEADS[self.state]

    @property
    def why(self) -> str:
        """What there is too little of, and why that is thought; without a training the reason alone."""
        if not self.because:
            return ""
        text = f"{_LEADS.get(str(self.limit), '')}{self.because}."
        return text[:1].upper() + text[1:]

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Advice":
        """What ``to_dict`` made plain values of, and measures.json keeps."""
        known = {field.name: kept[field.name] for field in fields(cls) if field.name in kept}
        limit = kept.get("limit")
        following = tuple(Next(**each) for each in kept["next"])
        return cls(**{**known, "limit": None if limit is None else Limit(limit), "next": following})

    def to_dict(self) -> dict[str, Any]:
        """Plain values for measures.json."""
        evidence = {k: v if math.isfinite(v) else None for k, v in self.evidence.items()}
        limit = None if self.limit is None else str(self.limit)
        following = [each._asdict() for each in self.next]
        return {**asdict(self), "limit": limit, "evidence": evidence, "next": following}


def advise(report: Report, course: Course | None = None) -> Advice | None:
    """Which defect matters most, what most likely limits the model, and what to try next.

    course  of the training, which says whether time, data or capacity is the limit; without it, for samples
            of another program, the advice says what such a defect usually comes from.
    None where there is no verdict, of a classifier.
    """
    verdict = report.verdict
    if verdict is None:
        return None
    items = "examples" if report.evalset is None else items_of(report.evalset.space)
    failed = by_weight(verdict)
    state, worst = verdict.state, failed[0].name if failed else ""
    found = None
    if course is not None and state is State.FAIL and worst != "held-out copies":
        found = find_limit(course)
        if worst == "copies":
            found = _copied(course, found)
    because = found.because if found else _usual_cause(worst, items)
    short = too_short(course)
    return Advice(
        str(state),
        worst,
        _wrong(failed, items),
        _right(verdict, items, len(report.classes)),
        _undecided(verdict, items),
        found.limit if found else None,
        because,
        found.evidence if found else {},
        tuple(_next(verdict, worst, items, course, found)),
        "" if short is None else short.words,
    )


def by_weight(verdict: Verdict) -> list[TestResult]:
    """What fails, the worst first: by how bad a person would find it, then by how far it is beyond its margin.

    A critic finds whatever has a name as well, so what it finds comes last.
    """
    order = {name: i for i, name in enumerate(name for name in PLAIN_WORDS if name != CRITIC)}

    def weight(result: TestResult) -> tuple[int, float]:
        place = order.get(result.name, len(order) + (result.name == CRITIC))
        return place, -(result.effect or 0.0) / result.margin

    failed = [result for result in verdict.results if result.state is State.FAIL]
    return sorted(failed, key=weight)


def _wrong(failed: list[TestResult], items: str) -> str:
    if not failed:
        return ""
    worst, *others = failed
    sentence = _said(worst, items)
    critic = next((each for each in others if each.name == CRITIC), None)
    if critic is not None:
        share = f"at least {_percent(critic.effect)} of them"
        words = PLAIN_WORDS.get(worst.name)
        if words and words.seen:
            sentence += f", and {share} by all that it sees"
        else:
            sentence += f", and a critic tells {share} from real {items}"
    named = [each.name for each in others if each is not critic]
    return f"{sentence}." + (f" Also FAIL: {', '.join(named)}." if named else "")


def _said(result: TestResult, items: str) -> str:
    words = PLAIN_WORDS.get(result.name)
    if words is None:
        return result.sentence[:1].upper() + result.sentence[1:]
    effect = _percent(result.effect)
    return words.wrong.format(effect=effect, items=items, direction=result.direction)


def _right(verdict: Verdict, items: str, classes: int = 0) -> str:
    """What passes; kinds are called classes where there are labels."""
    passed = {result.name for result in verdict.results if result.state is State.PASS}
    parts = [
        f"all {classes} classes are there"
        if name == "missing modes" and classes
        else words.right.format(items=items)
        for name, words in PLAIN_WORDS.items()
        if name in passed and words.right
    ]
    if {"too narrow", "too wide"} <= passed:
        parts.append("samples vary as much as the data")
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _undecided(verdict: Verdict, items: str) -> str:
    unsure = [result for result in verdict.results if result.state is State.INCONCLUSIVE]
    few = [result.name for result in unsure if result.needed]
    blind = [result for result in unsure if not result.needed]
    parts = []
    if few:
        parts.append(
            f"{', '.join(few)}: about {_needed(verdict):,} held-out {items} would decide, and as many samples; "
            f"here are {verdict.n:,}"
        )
    if blind:
        reasons = {result.sentence for result in blind}
        reason = reasons.pop() if len(reasons) == 1 else "these tests see too little in such data"
        parts.append(f"{', '.join(result.name for result in blind)}: {reason}")
    return f"{'. '.join(parts)}." if parts else ""


def _needed(verdict: Verdict) -> int:
    """Examples a side that would decide all that more of them can decide; 0 where there is nothing."""
    return max((r.needed or 0 for r in verdict.results if r.state is State.INCONCLUSIVE), default=0)


def _usual_cause(worst: str, items: str) -> str:
    words = PLAIN_WORDS.get(worst)
    return "" if words is None else f"it usually comes from {words.cause.format(items=items)}"


def _copied(course: Course, found: Limiting) -> Limiting:
    """Copies are a lack of data, whatever the curve does."""
    because = f"it learned from {course.train:,} {course.items}, and gives some of them back"
    return Limiting(Limit.DATA, because, False, found.evidence)


def _next(
    verdict: Verdict, worst: str, items: str, course: Course | None, found: Limiting | None
) -> list[Next]:
    """What to try, the best first."""
    if worst == "held-out copies":
        return _unseen(course)
    if course is not None and course.too_short:
        return [Next("train as long as it needs", resume_command(course))]
    if verdict.state is State.PASS:
        if course is None:
            return []
        out = "samples/" if course.model.space.is_image else "samples.csv"
        draw = run_command(course, "sample", "-n", "1000", "--out", out)
        return [Next("use it: draw samples", draw)]
    if verdict.state is State.INCONCLUSIVE:
        return _decide(verdict, items, course)
    if course is None or found is None:
        return []
    following = [*_family(course, worst), *_AGAINST[found.limit](course, found)]
    if worst != "copies":
        following += _other_family(course)
    return following + ([_less(course)] if worst == "copies" and course.model.iterates else [])


def _unseen(course: Course | None) -> list[Next]:
    if course is None:
        return [Next("judge it by data that the program cannot have seen, with --heldout")]
    if not course.source:
        return [Next("look for items that are in the data twice")]
    look = shlex.join(["plausible", "data", course.source])
    return [Next("look for items that are in the data twice", look)]


def _decide(verdict: Verdict, items: str, course: Course | None) -> list[Next]:
    needed = _needed(verdict)
    if not needed:
        return []
    if course is not None and course.heldout >= needed:
        again = run_command(course, "evaluate", "-n", str(needed))
        return [Next(f"judge it by {needed:,} {items}", again)]
    if course is None or not course.heldout:
        return [Next(f"bring about {needed:,} held-out {items}")]
    there = course.train + course.validation + course.heldout
    total = math.ceil(needed * there / course.heldout / 10) * 10
    share = f"of {there:,}, {course.heldout / there:.0%} are held out"
    return [
        Next(f"bring about {total:,} {items}: {needed:,} held-out ones would decide, and {share}")
    ]


def _family(course: Course, worst: str) -> list[Next]:
    """What the family knows to help against this very defect, and this run does not do."""
    helps = remedy(course, worst)
    if helps is None:
        return []
    flags, words = helps
    what = f"what helps a {course.model.name} against {worst}: {words}"
    return [Next(what, train_command(course, flags))]


def _other_family(course: Course) -> list[Next]:
    """The family that is nearer to colour images after as many minutes, by docs/diffusion.md."""
    space = course.model.space
    if not space.is_image or space.shape[0] == 1 or min(space.shape[1:]) < _MEASURED:
        return []
    other = _NEARER.get(course.model.name)
    if other is None:
        return []
    what = f"another family: of colour images a {other} model learns more in as many minutes"
    return [Next(what, other_command(course, other))]


def _more_time(course: Course, found: Limiting) -> list[Next]:
    what = "train to the end" if course.unfinished else "train twice as long"
    return [Next(what, resume_command(course))]


def _more_data(course: Course, found: Limiting) -> list[Next]:
    here = f"several times as many {course.items}"
    if course.source and not has_no_path(course.source):
        steps = [Next(f"put {here} in {course.source}, then", train_command(course))]
    else:
        steps = [Next(f"a set with {here}", train_command(course, {"--data": ["FOLDER"]}))]
    helps = remedy(course, *_OVERFITTING)
    if found.falling:
        steps.append(Next("with these alone, to gain a little more", resume_command(course)))
    elif helps is not None:
        flags, words = helps
        steps.append(Next(f"with these alone: {words}", train_command(course, flags)))
    return steps


def _less(course: Course) -> Next:
    settings, half = course.settings, str(max(1, course.steps // 2))
    flags = {"--steps": [half]}
    if settings.minutes is not None:
        flags = {"--minutes": [f"{settings.minutes / 2:g}"]}
    return Next("with these alone, half as long", train_command(course, flags))


def _larger(course: Course, found: Limiting) -> list[Next]:
    larger = sized(course, 2)
    if larger is None:
        return [Next("another family of models", "plausible models")]
    flags, words = larger
    return [Next(f"a larger model: {words}", train_command(course, flags))]


def _unknown(course: Course, found: Limiting) -> list[Next]:
    if not course.model.iterates:
        return _larger(course, found)
    diagnose = Next("look for what went wrong", run_command(course, "diagnose"))
    return [*_more_time(course, found), diagnose]


_NEARER = {"gan": "diffusion"}
"""{family: the one that is nearer to images in colour}."""
_MEASURED = 28  # pixels a side, the smallest images by which that is known

_AGAINST = {
    Limit.TIME: _more_time,
    Limit.DATA: _more_data,
    Limit.CAPACITY: _larger,
    Limit.UNKNOWN: _unknown,
}


def _percent(value: float | None) -> str:
    value = value or 0.0
    return f"{value:.0%}" if abs(value) >= 0.1 else f"{value:.1%}"
