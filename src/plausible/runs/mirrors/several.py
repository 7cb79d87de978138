"""Several mirrors of one training: told what the log says, once each, and left out when they fail."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from plausible.core.errors import one_line
from plausible.core.finding import Finding, Severity
from plausible.diagnosis.history import TRACE
from plausible.runs.kept_json import read_json
from plausible.runs.log import read_log
from plausible.runs.mirrors.mirror import Mirror, Mirrored, mirrors
from plausible.runs.run import Run
from plausible.training import Training

KEPT = "mirrors.json"
"""Which mirrors a run has, and by which name they know it: {"name": ..., "mirrors": [...]}."""
NOT_MIRRORED = "not mirrored"


class Mirrors:
    """The mirrors of one training, which rank 0 tells; a mirror that fails is said once and told nothing more.

    They are opened when something is saved, so that what is refused at once leaves nothing behind.
    on_finding  called with every failure.
    where       how one looks at them, in words; empty until they are opened.
    """

    def __init__(
        self,
        run: Run | None = None,
        names: Sequence[str] = (),
        on_finding: Callable[[Finding], None] = lambda finding: None,
        seconds: float = 0.0,
    ):
        self._run, self._names, self._on_finding = run, tuple(names), on_finding
        self._seconds = seconds
        self._open: dict[str, Mirror] = {}
        self._lines: list[Mapping[str, Any]] = []
        self._pictures: list[tuple[int, Path]] = []
        self._latest: tuple[int, set[str]] = -1, set()
        self.where: tuple[str, ...] = ()

    def line(self, line: Mapping[str, Any]) -> None:
        """A line of the log, to be told with the next ``tell``."""
        if self._names:
            self._lines.append(line)

    def picture(self, step: int, path: Path) -> None:
        """Samples drawn after this round, to be told with the next ``tell``."""
        if self._names:
            self._pictures.append((step, path))

    def rewind(self) -> None:
        """The log was cut: mirrors that can be are opened anew, and show what it says now."""
        self._lines, self._pictures, self._latest = [], [], (-1, set())
        self.close()
        self._open = {}

    def tell(self) -> None:
        """Tell all of them what is new; the first time, what the log and the frames hold already, too."""
        if not self._names or self._run is None:
            return
        if not self._open:
            self._begin()
        lines, pictures = self._lines, self._pictures
        self._lines, self._pictures = [], []
        for line in lines:
            numbers = numbers_of(line)
            if line["step"] == self._latest[0]:  # the last line again, with what probes say
                numbers = {k: v for k, v in numbers.items() if k not in self._latest[1]}
            self._latest = line["step"], {*numbers}
            self._seconds = line.get("seconds", 0.0)
            for name, mirror in list(self._open.items()):
                self._try(name, mirror.line, line["step"], numbers, self._seconds)
        for step, path in pictures:
            for name, mirror in list(self._open.items()):
                self._try(name, mirror.picture, step, path, self._seconds)
        for name, mirror in list(self._open.items()):
            self._try(name, mirror.settle)

    def close(self) -> None:
        """Tell what is left, and nothing more; a failure is said like any other."""
        if self._open:
            self.tell()
        for name, mirror in list(self._open.items()):
            self._try(name, mirror.close)

    def _begin(self) -> None:
        """Open each, and tell it what it does not know of what was logged before."""
        run = self._run
        assert run is not None
        shown = Mirrored(
            run.folder, _kept(run, self._names)["name"], run.config, time.time() - self._seconds
        )
        history = [line for _, line in read_log(run.folder / "log.jsonl")]
        self._lines = []  # which are in the log
        for name in self._names:
            mirror = self._try(name, mirrors[name], shown)
            if mirror is None:
                continue
            self._open[name] = mirror
            self._try(name, _tell_history, mirror, history, run.folder)
        if history:
            self._latest = history[-1]["step"], {*numbers_of(history[-1])}
        self._pictures = []  # which are among the frames
        self.where = tuple(mirror.where for mirror in self._open.values())

    def _try(self, name: str, what: Callable[..., Any], *words: Any) -> Any:
        """What a mirror answers; None where it fails, which is said, and it is told nothing more."""
        try:
            return what(*words)
        except Exception as error:
            self._open.pop(name, None)
            self._names = tuple(other for other in self._names if other != name)
            why = one_line(str(error)) or type(error).__name__
            claim = f"{name} is told nothing more ({why}): the training goes on, and log.jsonl has all of it"
            self._on_finding(Finding(NOT_MIRRORED, Severity.WARNING, claim))
            return None


def mirrored(
    run: Run,
    training: Training[Any],
    names: Sequence[str] | None,
    on_finding: Callable[[Finding], None],
) -> Mirrors:
    """The mirrors of a training that begins or goes on: those named, and without any those that its run had."""
    if not training.world.leads:
        return Mirrors()
    known = mirrors_of(run) if names is None else names
    return Mirrors(run, known, on_finding, training.seconds)


def mirrors_of(run: Run) -> tuple[str, ...]:
    """The names of the mirrors that a run had; none where it had none."""
    if not (run.folder / KEPT).exists():
        return ()
    kept = read_json(run.folder / KEPT, advice="remove it")
    return tuple(name for name in kept.get("mirrors", ()) if name in mirrors)


def numbers_of(line: Mapping[str, Any]) -> dict[str, float]:
    """{"player/number": value} of a line of the log, of players and probes alike; traces are left out."""
    return {
        f"{who}/{name}": float(value)
        for who, values in line.items()
        if isinstance(values, Mapping) and who != TRACE
        for name, value in values.items()
        if isinstance(value, int | float)
    }


def _tell_history(mirror: Mirror, history: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """What a mirror does not know yet, in the order of the rounds: wandb takes no other."""
    frames = {int(path.stem) - 1: path for path in (folder / "frames").glob("[0-9]*.png")}
    lines = {line["step"]: line for line in history}
    seconds = 0.0
    for step in sorted({*lines, *frames}):
        if step in lines:
            seconds = lines[step].get("seconds", seconds)
        if step < mirror.first or step > max(lines, default=-1):
            continue
        if step in lines:
            mirror.line(step, numbers_of(lines[step]), seconds)
        if step in frames:
            mirror.picture(step, frames[step], seconds)
    mirror.settle()


def _kept(run: Run, names: Sequence[str]) -> dict[str, Any]:
    """What mirrors.json says, written where it is new or the mirrors are others."""
    path = run.folder / KEPT
    kept = read_json(path, advice="remove it") if path.exists() else {}
    name = kept.get("name") or f"{run.folder.resolve().name}-{uuid4().hex[:8]}"
    now = {"name": name, "mirrors": list(names)}
    if kept != now:
        run.write(KEPT, json.dumps(now, indent=1) + "\n")
    return now
