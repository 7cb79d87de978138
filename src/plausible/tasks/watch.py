"""A training as it is now, read from the folder of its run while it goes on, or afterwards."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from plausible.core.finding import Finding, Severity
from plausible.diagnosis.history import PROBES, TRACE, History
from plausible.figures.curves import Curves, curves
from plausible.runs import Run
from plausible.runs.log import ALARMS, read_log
from plausible.runs.logger import read_findings
from plausible.tasks.list_runs import QUIET

Line = Mapping[str, Any]

_RECENT = 60.0  # seconds of training by which its speed is told ...
_FEWEST = 6  # ... and at least so many lines of the log
_PATIENCE = 20  # times what a line of the log takes, until a training is taken for stopped
_WRITTEN = ("config.json", "log.jsonl", "state.pt", "last.safetensors", "weights.safetensors")


class State(StrEnum):
    """How a training stands."""

    NOT_BEGUN = "not begun"  # nothing is logged yet
    RUNNING = "running"  # something was written lately
    STOPPED = "stopped"  # nothing was written for long, and its budget is not used
    FINISHED = "finished"


@dataclass(frozen=True)
class Raised:
    """What was found wrong, and the round at which it was raised or last became worse; None where nobody noted it."""

    finding: Finding
    step: int | None


@dataclass(frozen=True)
class Watched:
    """A training as its folder shows it.

    rounds    that were played, of ``total``; None where the budget is one of minutes.
    progress  the share of the budget that is used.
    seconds   that it has trained.
    rate      rounds a second lately, and ``examples_rate`` examples a second; None before the second line of the log.
    left      seconds until it ends, as fast as it is now; None where it does not run, or nobody can say.
    age       seconds since anything was written.
    values    {player: {name: number}} of the last line of the log.
    curves    those that a person can read.
    raised    what was found wrong, in the order of the rounds.
    verdict   FAIL, PASS or INCONCLUSIVE; None where it was not judged.
    """

    folder: Path
    model: str
    data: str
    state: State
    rounds: int
    total: int | None
    progress: float
    seconds: float
    rate: float | None
    examples_rate: float | None
    left: float | None
    age: float
    values: Mapping[str, Mapping[str, float]]
    curves: Sequence[Curves]
    raised: Sequence[Raised]
    verdict: str | None


def watch(run: Run | str | Path) -> Watched:
    """A training as it is now: how far it is, how long it will take, its numbers and curves, and what was found wrong.

    run  a run or its folder, of which nothing is changed; it may still be written to.
    Raises UsageError for a folder that is no run.
    """
    run = Run(
        run.folder if isinstance(run, Run) else run
    )  # whose config.json may be another by now
    settings, age = run.settings, _age(run.folder)
    lines = [line for _, line in read_log(run.folder / "log.jsonl")]
    last = lines[-1] if lines else {}
    rounds, seconds = last.get("step", -1) + 1, float(last.get("seconds", 0.0))
    rate, examples_rate = _rates(lines)
    state = _state(run, lines, age)
    left = None
    if state is State.RUNNING and rate and settings.steps:
        left = max(0.0, (settings.steps - rounds) / rate - age)
    elif state is State.RUNNING and settings.minutes:
        left = max(0.0, 60 * settings.minutes - seconds - age)
    progress = settings.progress(rounds, seconds)
    return Watched(
        folder=run.folder,
        model=run.learned,
        data=run.config["data"]["name"],
        state=state,
        rounds=rounds,
        total=settings.steps,
        progress=1.0 if state is State.FINISHED else progress,
        seconds=seconds,
        rate=rate,
        examples_rate=examples_rate,
        left=left,
        age=age,
        values=_values(last),
        curves=curves(History(lines)),
        raised=_raised(run, lines),
        verdict=run.verdict,
    )


def _age(folder: Path) -> float:
    """Seconds since anything of a run was written."""
    written = [path.stat().st_mtime for name in _WRITTEN if (path := folder / name).exists()]
    return max(0.0, time.time() - max(written, default=0.0))


def _state(run: Run, lines: Sequence[Line], age: float) -> State:
    if (run.progress or 0.0) >= 1:
        return State.FINISHED
    if not lines:
        return State.NOT_BEGUN
    a_line = lines[-1].get("seconds", 0.0) / len(lines)
    return State.STOPPED if age > max(QUIET, _PATIENCE * a_line) else State.RUNNING


def _rates(lines: Sequence[Line]) -> tuple[float | None, float | None]:
    """Rounds and examples a second by the last lines of a log."""
    timed = [line for line in lines if "seconds" in line]
    late = [line for line in timed if line["seconds"] >= timed[-1]["seconds"] - _RECENT]
    recent = late if len(late) >= _FEWEST else timed[-_FEWEST:]
    if len(recent) < 2 or recent[-1]["seconds"] <= recent[0]["seconds"]:
        return None, None
    first, last = recent[0], recent[-1]
    rounds, images, seconds = (
        last.get(name, 0) - first.get(name, 0) for name in ("step", "images", "seconds")
    )
    return rounds / seconds, images / seconds


def _values(line: Line) -> dict[str, dict[str, float]]:
    """What the players say in a line of a log."""
    return {
        who: {name: value for name, value in said.items() if isinstance(value, int | float)}
        for who, said in line.items()
        if isinstance(said, Mapping) and who not in (PROBES, TRACE)
    }


def _raised(run: Run, lines: Sequence[Line]) -> list[Raised]:
    """Every alarm of a log as findings.json tells it now, and what else stands there and matters."""
    at = {name: line["step"] + 1 for line in lines for name in line.get(ALARMS, ())}
    known = {finding.phenomenon: finding for finding in read_findings(run)}
    for name, finding in known.items():
        if name not in at and finding.severity.rank > Severity.NOTE.rank:
            step = finding.evidence.get("step")
            at[name] = None if step is None else int(step) + 1
    gone = {name: Finding(name, Severity.NOTE, "findings.json has it no more") for name in at}
    raised = [Raised((gone | known)[name], step) for name, step in at.items()]
    return sorted(raised, key=lambda each: (each.step is None, each.step or 0))
