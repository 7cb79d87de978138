"""What a training writes down while it goes on: log.jsonl and findings.json."""

import json
import os
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from plausible.core.errors import UsageError
from plausible.diagnosis import Finding, History, Severity, Monitor, to_json
from plausible.diagnosis.history import LOOK
from plausible.runs import Run, cut_log
from plausible.training import Step, Training

NOT_FINITE = "not finite"  # the one finding that a log does not show


class RunLogger:
    """log.jsonl and findings.json of one training, which rank 0 writes; the others have nothing to say."""

    def __init__(
        self,
        run: Run,
        training: Training[Any],
        watch: Monitor | None,
        tell: Callable[[Finding], None],
    ):
        self._run, self._training, self._tell = run, training, tell
        self._watch = watch if training.world.leads else None
        self._path = run.folder / "log.jsonl"
        self._noted = -1  # the last step that was
        self._findings = {finding.check: finding for finding in earlier(run)}

    def __enter__(self) -> "RunLogger":
        self._open()
        return self

    def __exit__(self, *error: object) -> None:
        self._log.close()

    def _open(self) -> None:
        leads = self._training.world.leads
        self._log: TextIO = open(self._path if leads else os.devnull, "a", buffering=1)  # noqa: SIM115

    def follow(self, step: Step) -> None:
        """Take in a round."""
        if self._watch is not None:
            self._watch.follow(step)

    def behind(self, step: Step) -> bool:
        """Whether this step is not in the log yet."""
        return step.clock.step > self._noted

    def note(self, step: Step, look: bool) -> list[Finding]:
        """A line of the log, with a look at the model or without; what is new or worse since."""
        line, watch, news = _line(step, self._training.seconds), self._watch, list[Finding]()
        if watch is not None:
            line |= watch.trace()
            if look:
                line[LOOK] = watch.look()
        self._noted = step.clock.step
        self._log.write(json.dumps(line) + "\n")
        if watch is not None:
            news = watch.add(line)
            self.keep(news)
        return news

    def keep(self, news: Sequence[Finding]) -> None:
        """Tell what is new, and write findings.json."""
        if self._training.world.leads and news:
            for finding in news:
                self._tell(finding)
                self._findings[finding.check] = finding
            self.record()

    def restart(self, steps: int, failure: Finding) -> None:
        """Go on after so many steps, to which a failure has led back."""
        self._log.close()
        if self._training.world.leads:
            cut_log(self._run, steps)
        self._open()
        self._findings = {failure.check: failure}
        self._noted = -1
        if self._watch is not None:
            self._watch.restart(History.read(self._path))

    def record(self) -> None:
        """Write findings.json, if there is anything to say."""
        known = self._findings | ({} if self._watch is None else self._watch.findings)
        if self._training.world.leads and known:
            self._run.write("findings.json", to_json(known.values()))


def earlier(run: Run) -> list[Finding]:
    """What findings.json of a run knows that its log does not show: numbers that were not finite."""
    path = run.folder / "findings.json"
    try:
        known = json.loads(path.read_text()) if path.exists() else []
        return [
            Finding(**{**one, "severity": Severity(one["severity"])})
            for one in known
            if one["check"] == NOT_FINITE
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path} does not hold findings: {error}") from error


def _line(step: Step, seconds: float) -> dict[str, Any]:
    """A line of log.jsonl."""
    clock = {"step": step.clock.step, "images": step.clock.images, "spent": step.clock.progress}
    return {**clock, "seconds": round(seconds, 3), **step.values()}
