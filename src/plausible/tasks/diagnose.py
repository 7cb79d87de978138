"""What is wrong with a trained model and with its training, the evidence, and what to change."""

from collections.abc import Callable, Sequence
from pathlib import Path

from plausible.core.choices import Device
from plausible.core.errors import UsageError
from plausible.core.finding import Finding, Severity, to_json
from plausible.data.part import Data
from plausible.diagnosis import merge_findings, run_alarms, run_checks
from plausible.diagnosis.check import without_data
from plausible.runs import Run
from plausible.runs.log import read_history
from plausible.runs.logger import unlogged_findings
from plausible.runs.whereabouts import DataGone
from plausible.tasks.trained import Trained, TrainedLike, open_trained


def diagnose(
    source: TrainedLike,
    data: Data | str | Path | None = None,
    *,
    seed: int = 0,
    device: Device = "auto",
    progress: Callable[[str], None] = lambda name: None,
) -> list[Finding]:
    """Every check that the model's capabilities allow, beside what the log of its training says; the worst first.

    data      of a model in memory; a run knows its own, or is told where they are now.
    progress  called with the name of each check.
    The same seed gives the same findings.  Where the data of a run are gone its log is read all the same, and a
    note says which checks are left out.
    """
    trained = open_trained(source, data, device=device, request="diagnose")
    settings = None if trained.run is None else trained.run.settings
    found, left_out = _data_of(trained)
    checked = run_checks(trained.model, found, seed, settings, progress)
    return merge_findings(_raised(trained), [*checked, *left_out])


def _data_of(trained: Trained) -> tuple[Data | None, list[Finding]]:
    """The data of a run, or None, and a note on what is left out without them."""
    try:
        return trained.data_for("diagnose"), []
    except DataGone as reason:
        names = without_data(trained.model)
        claim = f"not checked without its data: {', '.join(names)}; {reason}"
        return None, [Finding("data", Severity.NOTE, claim)] * bool(names)


def save_findings(trained: Trained, findings: Sequence[Finding]) -> Path:
    """findings.json of a run; UsageError for a model in memory."""
    if trained.run is None:
        raise UsageError(f"this {trained.model.name} is not kept in a run")
    return trained.run.write("findings.json", to_json(findings))


def _raised(trained: Trained) -> list[Finding]:
    """What alarms said: by the log of a run, or while a model in memory was trained."""
    run: Run | None = trained.run
    if run is None:
        return list(trained.findings)
    history = read_history(run.folder / "log.jsonl")
    return [*unlogged_findings(run), *run_alarms(history, trained.model, run.settings)]
