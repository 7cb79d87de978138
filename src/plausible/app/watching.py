"""How a training stands, in words and pictures for the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from plausible import figures
from plausible.app import markup
from plausible.app.pictures import as_image, opened
from plausible.app.workplace import Workplace
from plausible.core.errors import UsageError
from plausible.tasks import TrainingState, training_state

_FILES = ("log.jsonl", "samples.png", "findings.json", "measures.json", "weights.safetensors")
_HEADS = {
    "FAIL": "Not there yet.",
    "PASS": "It learned the distribution, as far as this can see.",
    "INCONCLUSIVE": "Nothing wrong was found, and not all could be decided.",
}

_LIMITS = {
    "time": "Too little time, most likely: ",
    "data": "Too few data, most likely: ",
    "capacity": "Too small a model, most likely: ",
    "unknown": "What limits it is not known: ",
}


@dataclass(frozen=True)
class Seen:
    """What was shown at last of a run, so that nothing is drawn twice; equal where nothing has changed."""

    name: str
    alive: bool
    changed: tuple[float, ...]


@dataclass(frozen=True)
class View:
    """What the tab shows of a training, as words of HTML and pictures."""

    head: str
    curves: Image.Image | None
    samples: Image.Image | None
    alarms: str
    judged: str
    printed: str
    alive: bool
    elsewhere: bool
    resumable: bool


def seen(work: Workplace, name: str | None) -> Seen:
    """How the files of a run are now."""
    if not name:
        return Seen("", False, ())
    places = [*(work.folder / name / file for file in _FILES), work.folder / ".app" / f"{name}.txt"]
    return Seen(name, work.trainings.alive(name), tuple(_changed(place) for place in places))


def view(work: Workplace, name: str) -> View:
    """A training as it stands, also one that has no folder yet or came to nothing."""
    alive, printed = work.trainings.alive(name), work.trainings.said(name)
    try:
        state = training_state(work.run(name))
    except UsageError as reason:
        said = "It begins: the data are read." if alive else _last(printed) or str(reason)
        head = markup.progress(0, said)
        return View(head, None, None, "", "", markup.printed(printed), alive, False, False)
    elsewhere = not state.finished and work.learns_elsewhere(name)
    curves = figures.learning_curves(state.history, state.alarms)
    return View(
        markup.progress(state.share, _how_far(state, alive, elsewhere)),
        None if curves is None else as_image(curves),
        None if state.picture is None else opened(state.picture.read_bytes()),
        markup.findings(state.findings) or markup.paragraph("No alarm so far."),
        _judgement(state),
        markup.printed(printed),
        alive,
        elsewhere,
        not alive and not elsewhere and (state.folder / "state.pt").exists(),
    )


def _how_far(state: TrainingState, alive: bool, elsewhere: bool) -> str:
    """Model, data, rounds, time: in a line."""
    of = f" of {state.budget:,}" if state.budget and not state.finished else ""
    parts = [f"{state.model} of {state.data}: round {state.rounds:,}{of}"]
    if state.finished:
        parts.append("trained, and being judged" if alive else "finished")
    else:
        going = alive or elsewhere
        parts.append(
            f"{state.share:.0%} of its budget" if going else f"stopped at {state.share:.0%}"
        )
        if going and state.left is not None:
            parts.append(f"about {_duration(state.left)} left")
    if elsewhere:
        parts.append("by a program that was not started here")
    return f"{', '.join(parts)}; trained for {_duration(state.seconds)}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,}:{rest:02} min" if minutes else f"{rest} s"


def _judgement(state: TrainingState) -> str:
    """What the verdict means, and what to try next."""
    said = state.advice
    if not said:
        return "" if state.verdict is None else markup.paragraph(f"Verdict: {state.verdict}")
    rows = {
        "good": said["right"], "not yet": said["wrong"], "open": said["undecided"], "why": _why(said),
    }  # fmt: skip
    following = [(step["what"], step["command"]) for step in said["next"]]
    head = said.get("too_short") or _HEADS.get(said["state"], "")
    return (
        f"<h2>In plain words</h2>{markup.paragraph(head)}"
        f"{markup.facts({name: text for name, text in rows.items() if text})}"
        f"<h3>What to try next</h3>{markup.steps(following)}"
    )


def _why(said: Mapping[str, Any]) -> str:
    """What there is too little of, and why that is thought."""
    if not said["because"]:
        return ""
    return f"{_LIMITS.get(str(said['limit']), '')}{said['because']}."


def _last(printed: str) -> str:
    lines = printed.strip().splitlines()
    return lines[-1].removeprefix("plausible: ") if lines else ""


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
