"""What a training writes down while it goes on: log.jsonl and findings.json."""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TextIO

from plausible.core.errors import UsageError
from plausible.core.finding import Finding, Severity, to_json
from plausible.diagnosis.history import PROBES
from plausible.diagnosis.monitor import Monitor
from plausible.diagnosis.not_finite import NOT_FINITE
from plausible.runs.checksums import read_noted
from plausible.runs.kept_json import check_shape, read_json
from plausible.runs.log import ALARMS, MICRO_BATCH, read_history
from plausible.runs.mirrors import Mirrors
from plausible.runs.run import Run
from plausible.runs.saving import cut_log
from plausible.runs.shapes import FINDINGS
from plausible.training import Step, Training

_ANEW = "remove it, and plausible diagnose makes it anew"


class RunLogger:
    """log.jsonl and findings.json of one training, which rank 0 writes; the others have nothing to say.

    monitor     probes the model and raises alarms; None: the log has losses alone.
    on_finding  called with every finding that is new or worse than before.
    mirrors     told every line of the log.
    """

    def __init__(
        self,
        run: Run,
        training: Training[Any],
        monitor: Monitor | None,
        on_finding: Callable[[Finding], None],
        mirrors: Mirrors | None = None,
    ):
        self._run, self._training, self._on_finding = run, training, on_finding
        self._mirrors = mirrors or Mirrors()
        self._monitor = monitor if training.world.leads else None
        self._path = run.folder / "log.jsonl"
        self._line: dict[str, Any] = {}  # the last one
        self._findings = {finding.phenomenon: finding for finding in unlogged_findings(run)}

    def __enter__(self) -> "RunLogger":
        self._open()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):  # a disk that is full has been said
            self._log.close()

    def _open(self) -> None:
        leads = self._training.world.leads
        self._log: TextIO = open(self._path if leads else os.devnull, "a", buffering=1)  # noqa: SIM115

    def observe(self, step: Step) -> None:
        """Take in a round."""
        if self._monitor is not None:
            self._monitor.observe(step)

    def is_logged(self, step: Step) -> bool:
        """Whether this step is in the log already."""
        return step.clock.step <= self._line.get("step", -1)

    def log(self, step: Step, probe: bool) -> list[Finding]:
        """A line of the log, with what the probes say or without; the findings that are new or worse since."""
        line, monitor = _line(step, self._training), self._monitor
        if monitor is not None:
            line |= monitor.pop_trace()
        return self._write(line, probe)

    def log_end(self, step: Step, probe: bool) -> None:
        """A line for the last round; where it has one without what the probes say, they are asked now."""
        if not self.is_logged(step):
            self.log(step, probe)
        elif probe and self._monitor is not None and PROBES not in self._line:
            self._cut(step.clock.step)
            self._write(self._line, probe)

    def _write(self, line: dict[str, Any], probe: bool) -> list[Finding]:
        self._line, monitor = line, self._monitor
        if probe and monitor is not None:
            line[PROBES] = monitor.probe()
        news = [] if monitor is None else monitor.update(line)
        if news:
            line[ALARMS] = [finding.phenomenon for finding in news]
        self._log.write(json.dumps(line) + "\n")
        self._mirrors.line(line)
        self.report(news)
        return news

    def report(self, findings: Sequence[Finding]) -> None:
        """Say what is new, and write findings.json."""
        if self._training.world.leads and findings:
            for finding in findings:
                self._on_finding(finding)
                self._findings[finding.phenomenon] = finding
            self.write_findings()

    def rewind(self, steps: int, failure: Finding) -> None:
        """Go on after so many steps, to which a failure has led back."""
        self._cut(steps)
        self._mirrors.rewind()
        self._findings, self._line = {failure.phenomenon: failure}, {}

    def _cut(self, steps: int) -> None:
        """Forget the lines after so many rounds."""
        self._log.close()
        if self._training.world.leads:
            cut_log(self._run, steps)
        self._open()
        if self._monitor is not None:
            self._monitor.reset(read_history(self._path))

    def write_findings(self) -> None:
        """Write findings.json, if there is anything to say."""
        known = self._findings | ({} if self._monitor is None else self._monitor.findings)
        if self._training.world.leads and known:
            self._run.write("findings.json", to_json(known.values()))


def unlogged_findings(run: Run) -> list[Finding]:
    """What findings.json of a run knows that its log does not show: numbers that were not finite."""
    return [finding for finding in read_findings(run) if finding.phenomenon == NOT_FINITE]


def read_findings(run: Run) -> list[Finding]:
    """What findings.json of a run holds, none if there is no file; UsageError where it holds something else."""
    path = run.folder / "findings.json"
    if not path.exists():
        return []
    entries = check_shape(path, read_json(path, read_noted(path, _ANEW), _ANEW), FINDINGS, _ANEW)
    try:
        return [_finding(entry) for entry in entries]
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} does not hold findings: {error}; {_ANEW}") from error


def _finding(entry: dict[str, Any]) -> Finding:
    """A finding as findings.json has it; those of runs made before call the phenomenon a check."""
    entry = {"phenomenon" if key == "check" else key: value for key, value in entry.items()}
    return Finding(**{**entry, "severity": Severity(entry["severity"])})


def _line(step: Step, training: Training[Any]) -> dict[str, Any]:
    """A line of log.jsonl."""
    clock = step.clock
    when = {"step": clock.step, "images": clock.images, "progress": clock.progress}
    size = training.micro_batch
    parts = {MICRO_BATCH: size} if size != training.settings.micro_batch else {}
    return {**when, "seconds": round(training.seconds, 3), **parts, **step.values()}
