"""How a training stands, read from the files of its run while it goes on or afterwards."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plausible.core.errors import UsageError
from plausible.core.finding import Finding, Severity, by_severity
from plausible.diagnosis.history import History
from plausible.runs import Run
from plausible.runs.log import read_alarms, read_history, read_log

_PICTURES = ("samples.png", "training.png")


@dataclass(frozen=True, eq=False)
class TrainingState:
    """What the files of a run say of its training.

    rounds    that are in its log; ``budget`` is their number if it was given as one.
    share     of the budget that is used.
    seconds   that it took so far; ``left``, about how many more it will; None where nobody knows.
    history   the curves; ``alarms`` (round, phenomenon) of each that was raised or became worse.
    findings  what is wrong, the worst first.
    picture   the samples that are drawn anew all the time; None before the first.
    judged    what measures.json says once it was judged; empty before.
    """

    folder: Path
    model: str
    data: str
    rounds: int
    budget: int | None
    share: float
    seconds: float
    left: float | None
    history: History
    alarms: tuple[tuple[int, str], ...]
    findings: tuple[Finding, ...]
    picture: Path | None
    judged: Mapping[str, Any]

    @property
    def finished(self) -> bool:
        """Whether its budget was used."""
        return self.share >= 1

    @property
    def verdict(self) -> str | None:
        """FAIL, PASS or INCONCLUSIVE; None where it was not judged."""
        verdict = self.judged.get("verdict")
        return None if verdict is None else str(verdict["state"])

    @property
    def advice(self) -> Mapping[str, Any]:
        """What the verdict means in words, as ``Advice.to_dict`` has it; empty where there is none."""
        return self.judged.get("advice") or {}


def training_state(run: Run | str | Path) -> TrainingState:
    """How the training of a run stands; UsageError for a folder that is no run, or files that cannot be read."""
    run = run if isinstance(run, Run) else Run(run)
    settings, log = run.settings, run.folder / "log.jsonl"
    lines = [line for _, line in read_log(log)]
    last: Mapping[str, Any] = lines[-1] if lines else {"progress": 0.0}
    seconds = float(last.get("seconds", 0.0))
    judged = _read(run.folder / "measures.json") or {}
    share = max(float(last["progress"]), run.progress or 0.0)
    config = run.config
    return TrainingState(
        run.folder,
        f"{config['model']} per class" if run.per_class else config["model"],
        config["data"]["name"],
        last["step"] + 1 if lines else 0,
        settings.steps,
        share,
        seconds,
        seconds * (1 - share) / share if 0 < share < 1 else None,
        read_history(log),
        tuple(read_alarms(log)),
        _findings(run.folder / "findings.json"),
        next((run.folder / n for n in _PICTURES if (run.folder / n).exists()), None),
        judged,
    )


def _findings(path: Path) -> tuple[Finding, ...]:
    """What is wrong, the worst first; what was looked for and not found is left out."""
    try:
        found = [_finding(**entry) for entry in _read(path) or []]
    except (TypeError, KeyError, ValueError) as error:
        raise UsageError(f"{path} does not hold findings: {error}") from error
    return tuple(one for one in by_severity(found) if one.severity is not Severity.FINE)


def _finding(severity: str, check: str = "", phenomenon: str = "", **others: Any) -> Finding:
    """A finding as its file has it; runs made before call the phenomenon a check."""
    return Finding(phenomenon or check, Severity(severity), **others)


def _read(path: Path) -> Any:
    """What a file of JSON holds; None where there is none."""
    try:
        return json.loads(path.read_text()) if path.exists() else None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
