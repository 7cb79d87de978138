"""What is to be said first of a run, in words that a layman understands, and what to do next."""

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from plausible.core.errors import UsageError
from plausible.evaluation.report import Report
from plausible.evaluation.verdict.verdict import State, Verdict
from plausible.runs import Run
from plausible.tasks.advise import Advice, Next, advise
from plausible.tasks.course import Course, items_of

OPEN = "OPEN"
"""The state of a run that nobody can say anything of yet."""
ANSWERS = "ANSWERS"
"""That of a classifier that was judged, for which there is no verdict."""

_ANSWERS = {
    State.FAIL: "were found",
    State.PASS: "were looked for and are not there",
    State.INCONCLUSIVE: "could not be decided",
}
_LEADS = {
    "FAIL": "What this model draws can still be told from real {items}.",
    "PASS": "What this model draws could not be told from real {items} in any of the ways that were tried.",
    "INCONCLUSIVE": "No fault was found in what this model draws, and not everything could be decided.",
    OPEN: "It has hardly begun to learn, so that what follows says little of what it could become.",
}


@dataclass(frozen=True)
class Headline:
    """The first thing to read of a run.

    state     FAIL, PASS or INCONCLUSIVE of a verdict; OPEN where there is none, ANSWERS of a classifier that was judged.
    words     all of it in a few words.
    lead      the same in a sentence, for who knows nothing of generative models.
    said      {what it is: a sentence}: what is not yet as it should be, what is good, what is open, and why.
    next      what to try, the best first.
    """

    state: str
    words: str
    lead: str
    said: Mapping[str, str]
    next: tuple[Next, ...]


def headline(
    run: Run, judged: Report | None, advice: Advice | None, draws: bool, reason: str = ""
) -> Headline:
    """What to say first.

    draws   whether its model draws samples, which are what is judged then.
    reason  why it could not be judged, where that was tried.
    """
    if run.progress is None:
        lead = "Its training has not come to its first save, so that there is nothing to look at."
        return Headline(OPEN, "nothing was saved yet", lead, {}, ())
    if judged is not None and judged.verdict is not None and advice is not None:
        items = items_of(run.space)
        said = _sentences(advice) | {"By what": _by_what(judged.verdict, items)}
        state = OPEN if advice.too_short else advice.state
        return Headline(state, advice.head, _LEADS[state].format(items=items), said, advice.next)
    if judged is not None:
        return _classifying(run, judged)
    return _not_judged(run, run.progress, draws, reason)


def _sentences(advice: Advice) -> dict[str, str]:
    said = {
        "Not yet": advice.wrong,
        "Good": advice.right,
        "Open": advice.undecided,
        "Why": advice.why,
    }
    return {name: text for name, text in said.items() if text}


def _by_what(verdict: Verdict, items: str) -> str:
    """How many were compared, and what came out."""
    counts = Counter(result.state for result in verdict.results)
    found = ", ".join(
        f"{counts[state]} {words}" for state, words in _ANSWERS.items() if counts[state]
    )
    return (
        f"{verdict.n:,} samples were held against as many real {items} that it never saw. "
        f"Of {sum(counts[state] for state in _ANSWERS)} defects {found}."
    )


def _classifying(run: Run, judged: Report) -> Headline:
    """Of a model that draws nothing: how often it is right."""
    items = items_of(run.space)
    values = {measure.name: measure.value for measure, _ in judged.measures}
    accuracy = values.get("accuracy")
    if accuracy is None:
        return Headline(ANSWERS, "it was judged", "How often it is right is not defined.", {}, ())
    words = f"it names the right class of {accuracy:.1%} of new {items}"
    lead = f"It was asked about {judged.compared:,} {items} that it has never seen."
    out = "photo.png" if run.space.is_image else "table.csv"
    classify = Next("use it: name the class of others", command(run.folder, "classify", out))
    return Headline(ANSWERS, words, lead, {}, (classify,))


def _not_judged(run: Run, progress: float, draws: bool, reason: str) -> Headline:
    what = "its samples are any good" if draws else "its answers are right"
    judge = Next("judge it as it is", command(run.folder, "evaluate"))
    if progress < 1:
        words = f"its training is not finished: {min(progress, 0.99):.0%} of it is done"
        lead = f"It was not judged, so nobody knows yet whether {what}."
        go_on = Next("go on with it", command(run.folder, "resume"))
        return Headline(OPEN, words, lead, {}, (go_on, judge))
    if reason:
        lead = f"Nobody knows whether {what}: {reason}."
        return Headline(OPEN, "it could not be judged", lead, {}, ())
    judge = judge._replace(what="judge it")
    lead = f"Nobody knows yet whether {what}: it was not held against data that it never saw."
    return Headline(OPEN, "it was not judged yet", lead, {}, (judge,))


def kept_advice(run: Run, judged: Report, course: Course | None) -> Advice | None:
    """What measures.json keeps of the advice, or what follows from its verdict where it keeps none.

    Commands name the folder where the run is now, also where it was moved since.
    """
    kept = (run.judged or {}).get("advice")
    if kept is None:
        return advise(judged, course)
    try:
        advice = Advice.from_dict(kept)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        path, again = run.folder / "measures.json", command(run.folder, "evaluate")
        raise UsageError(
            f"{path} is not as it was written: advice: {error}; judge it again with {again}"
        ) from error
    was = judged.seal.run if judged.seal is not None else None
    if was is None:
        return advice
    following = (
        each._replace(command=_moved(each.command, was, run.folder)) for each in advice.next
    )
    return replace(advice, next=tuple(following))


def command(folder: Path, name: str, *words: str) -> str:
    """A command on a run, to be copied."""
    return shlex.join(["plausible", name, str(folder), *words])


def _moved(line: str, was: str, folder: Path) -> str:
    """The same command on a run that is elsewhere now."""
    name = Path(was).name
    words = shlex.split(line)
    if len(words) < 3 or words[1] == "train" or Path(words[2]).name != name:
        return line
    return shlex.join([*words[:2], str(folder), *words[3:]])
