"""How a training stands, in words and pictures for the page."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from plausible import figures
from plausible.app import markup
from plausible.app.pictures import as_image, opened, temporary
from plausible.app.workplace import Workplace
from plausible.core.errors import UsageError
from plausible.pages import document
from plausible.runs import Run
from plausible.runs.log import read_alarms, read_history
from plausible.tasks import Watched, report, watch
from plausible.tasks.headline import headline, kept_advice
from plausible.tasks.report import kept_evaluation
from plausible.tasks.watch import State

_FILES = ("log.jsonl", "samples.png", "findings.json", "measures.json", "weights.safetensors")


@dataclass(frozen=True)
class Seen:
    """What was shown at last of a run, so that nothing is drawn twice; equal where nothing has changed."""

    name: str
    alive: bool
    changed: tuple[float, ...]


@dataclass(frozen=True)
class View:
    """What the tab shows of a training, as words of HTML and pictures.

    alive      whether a process that was started here goes on with it; ``elsewhere``: another one does.
    resumable  whether it can be gone on with.
    saved      whether it has weights, and so something to be reported.
    """

    head: str
    curves: Image.Image | None = None
    samples: Image.Image | None = None
    alarms: str = ""
    judged: str = ""
    printed: str = ""
    alive: bool = False
    elsewhere: bool = False
    resumable: bool = False
    saved: bool = False


def seen(work: Workplace, name: str | None) -> Seen:
    """How the files of a run are now."""
    if not name:
        return Seen("", False, ())
    places = [*(work.folder / name / file for file in _FILES), work.folder / ".app" / f"{name}.txt"]
    return Seen(name, work.trainings.alive(name), tuple(_changed(place) for place in places))


def view(work: Workplace, name: str) -> View:
    """A training as it stands, also one that has no folder yet or came to nothing."""
    alive, printed = work.trainings.alive(name), work.trainings.said(name)
    said = markup.printed(printed)
    try:
        now = watch(work.run(name))
    except UsageError as reason:
        words = "It begins: the data are read." if alive else _last(printed) or str(reason)
        return View(markup.progress(0, words), printed=said, alive=alive)
    elsewhere = not alive and now.state is State.RUNNING and work.learns_elsewhere(name)
    curves, samples = _curves(now.folder), now.folder / "samples.png"
    return View(
        markup.progress(now.progress, _how_far(now, alive, elsewhere)),
        None if curves is None else as_image(curves),
        opened(samples.read_bytes()) if samples.exists() else None,
        markup.findings(now.raised) or markup.paragraph("No alarm so far."),
        _judgement(now.folder),
        said,
        alive,
        elsewhere,
        not alive and not elsewhere and (now.folder / "state.pt").exists(),
        work.ready(name),
    )


def page_of(work: Workplace, name: str | None) -> str:
    """All that there is to see of a run as one page of its own, see ``plausible report``: the path of a file."""
    found = report(work.open(name))
    return temporary(document(found).encode(), f"{Path(str(name)).name}.html")


def _curves(folder: Path) -> object:
    log = folder / "log.jsonl"
    return figures.learning_curves(read_history(log), read_alarms(log))


def _how_far(now: Watched, alive: bool, elsewhere: bool) -> str:
    """Model, data, rounds, time: in a line."""
    going = alive or elsewhere
    of = f" of {now.total:,}" if now.total and now.state is not State.FINISHED else ""
    parts = [f"{now.model} of {now.data}: round {now.rounds:,}{of}"]
    if now.state is State.FINISHED:
        parts.append("trained, and being judged" if alive else "finished")
    else:
        parts.append(
            f"{now.progress:.0%} of its budget" if going else f"stopped at {now.progress:.0%}"
        )
        if going and now.left is not None:
            parts.append(f"about {_duration(now.left)} left")
    if elsewhere:
        parts.append("by a program that was not started here")
    return f"{', '.join(parts)}; trained for {_duration(now.seconds)}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,}:{rest:02} min" if minutes else f"{rest} s"


def _judgement(folder: Path) -> str:
    """What its verdict means, and what to try next; nothing before it was judged."""
    run = Run(folder)
    judged = kept_evaluation(run)
    if judged is None:
        return ""
    said = headline(run, judged, kept_advice(run, judged, None), judged.verdict is not None)
    words = f"{said.words[:1].upper()}{said.words[1:]}."
    following = [(step.what, step.command) for step in said.next]
    return (
        f"<h2>In plain words</h2>{markup.paragraph(words)}{markup.paragraph(said.lead)}"
        f"{markup.facts(said.said)}<h3>What to try next</h3>{markup.steps(following)}"
    )


def _last(printed: str) -> str:
    lines = printed.strip().splitlines()
    return lines[-1].removeprefix("plausible: ") if lines else ""


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
