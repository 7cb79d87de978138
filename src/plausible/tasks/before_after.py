"""What refining a model changed: its start and the refined, judged alike, beside each other."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from plausible.core import notebook
from plausible.core.errors import UsageError
from plausible.core.model import Generative, Model
from plausible.data.part import Data
from plausible.evaluation.kept_report import kept_report
from plausible.evaluation.measure import LIKELIHOODS, Measure
from plausible.evaluation.report import Report
from plausible.runs import Run, build
from plausible.runs.go_on import named_start, start_of
from plausible.tasks.evaluate import evaluate
from plausible.tasks.evaluate_against import log_prob_difference
from plausible.tasks.eyes import StageProgress
from plausible.tasks.run_result import judged
from plausible.tasks.save import save_report
from plausible.tasks.trained import Trained

BEFORE = "start"
"""The folder, below that of the refined run, for the measures of its start."""
MULTIPLE = "Frechet multiple"
_PROVED = "total variation"
_ROWS = (f"{_PROVED}, first look", "total variation", MULTIPLE, "recall", "coverage", *LIKELIHOODS)  # fmt: skip
_CLEAR = 2.0  # standard errors from which on a difference of nats is one


class Row(NamedTuple):
    """A measure of each, in the order of the columns; None where it has none."""

    name: str
    measures: tuple[Measure | None, ...]

    @property
    def title(self) -> str:
        """Its name with its unit."""
        unit = next((each.unit for each in self.measures if each is not None), "")
        return f"{self.name}, {unit}" if unit and unit not in self.name else self.name

    @property
    def cells(self) -> tuple[str, ...]:
        """Each for people, with its sign and its error."""
        return tuple("" if each is None else replace(each, p=None).number for each in self.measures)


@dataclass(frozen=True, eq=False)
class BeforeAfter:
    """A start and what became of it.

    reports  {who: its evaluation}: "start", "refined", and between them the start in as few steps as the refined takes,
             where that is not how it draws.
    nats     mean of log p by the refined less that by the start over the same held-out data, and its standard error;
             None where not both say it.
    how      how both are known.
    """

    reports: Mapping[str, Report]
    nats: tuple[float, float] | None
    how: str

    @property
    def rows(self) -> tuple[Row, ...]:
        """What is told of a refinement: what a fresh critic proves to differ, distances, and nats with their sign."""
        found = (
            Row(name, tuple(_measure(report, name) for report in self.reports.values()))
            for name in _ROWS
        )
        return tuple(row for row in found if any(row.measures))

    @property
    def verdicts(self) -> tuple[str, ...]:
        """That of each."""
        return tuple(
            "" if report.verdict is None else str(report.verdict.state)
            for report in self.reports.values()
        )

    @property
    def sentence(self) -> str:
        """What was won and what it cost."""
        *_, before, after = (_measure(report, _PROVED) for report in self.reports.values())
        won = ""
        if before is not None and after is not None:
            won = f"A critic proves that {after.value:.0%} of the probability mass differs from real data, {before.value:.0%} before; "
        if self.nats is None:
            return f"{won}what that cost in nats is not known: {self.how}"
        mean, error = self.nats
        verb = "stayed" if abs(mean) < _CLEAR * error else "fell" if mean < 0 else "rose"
        by = "as it was" if verb == "stayed" else f"by {abs(mean):.3g}"
        return f"{won}log p of held-out data {verb} {by} ± {error:.2g} nats, {self.how}"

    def __repr__(self) -> str:
        return f"BeforeAfter: {self.sentence}"

    def _repr_html_(self) -> str:
        rows = [["verdict", *self.verdicts], *([row.name, *row.cells] for row in self.rows)]
        return notebook.table(("", *self.reports), rows)


def before_after(
    run: Run | str | Path,
    start: Run | str | Path | None = None,
    data: Data | None = None,
    *,
    n: int = 5000,
    progress: StageProgress | None = None,
) -> BeforeAfter:
    """A refined run beside its start, judged by the same held-out data, n samples at most and seed 0.

    start  where the start is now; by default where it was.  What measures.json has is not measured again.
    Raises UsageError for a run that was not refined, a start that is gone, or one that is another by now.
    """
    report_progress = progress or (lambda stage, share: None)
    run = run if isinstance(run, Run) else Run(run)
    start = _start(run, start)
    data = data or run.data(request="evaluate")
    after = Trained(run.model(), run, _data=data)
    before = Trained(start.model(), start, _data=data)
    place, reports = run.folder / BEFORE, {}
    if run.model_config == start.model_config:
        kept = judged(before, place, n, report_progress)
        reports["start"] = kept_report(kept)
    else:
        alike = Trained(_drawing_alike(run, start), start, _data=data)
        reports |= _as_judged(start, n) | {"start, drawn alike": evaluate(alike, n=n, progress=report_progress)}  # fmt: skip
        save_report(reports["start, drawn alike"], place)
    reports["refined"] = kept_report(judged(after, run.folder, n, report_progress))
    models = [trained.model for trained in (after, before)]
    report_progress("asking both for log p of the held-out data", 1.0)
    nats, how = log_prob_difference(models, data.heldout.frozen(0), 0)
    return BeforeAfter(reports, nats, how)


def _start(run: Run, place: Run | str | Path | None) -> Run:
    """The start of a refined run, if it is what it was."""
    kept = start_of(run)
    if kept is None or run.refinement is None:
        raise UsageError(f"{run.folder} was not refined: it has no start to be compared with")
    start = place if isinstance(place, Run) else Run(place or kept.run)
    if not (start.folder / "config.json").exists():
        raise UsageError(f"{start.folder}, with which {run.folder} began, is not there")
    if named_start(start).weights != kept.weights:
        raise UsageError(
            f"{start.folder} has other weights than those with which {run.folder} began"
        )
    return start


def _drawing_alike(run: Run, start: Run) -> Model:
    """The start, drawn as the refined run draws."""
    made_of = run.kind.name, run.model_config, run.space, run.settings.seed
    model = start.with_weights(build(*made_of, networks=copy.deepcopy(start.networks))).eval()
    assert isinstance(model, Generative)
    return model


def _as_judged(start: Run, n: int) -> dict[str, Report]:
    """The start as it draws by itself, where that was judged before."""
    kept = start.judged
    seal = (kept or {}).get("seal") or {}
    same = (seal.get("n"), seal.get("seed"), seal.get("features")) == (n, 0, "auto")
    return {"start": kept_report(kept)} if kept is not None and same else {}


def _measure(report: Report, name: str) -> Measure | None:
    """One measure that a report has; the Frechet distance as a multiple of that of real data."""
    found = {measure.name: (measure, real) for measure, real in report.measures}
    if name != MULTIPLE:
        measure = found.get(name, (None, None))[0]
        return None if measure is None or measure.value is None else measure
    distance, real = found.get("Frechet distance", (None, None))
    if distance is None or real is None or distance.value is None or not real.value:
        return None
    return Measure(MULTIPLE, distance.value / real.value, unit="x real", direction="lower")
