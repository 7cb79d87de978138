"""All that there is to see of a run, in one value: what a page of it shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from plausible.core.choices import Device
from plausible.core.device import resolve_device
from plausible.core.errors import UsageError
from plausible.core.finding import Finding, Severity
from plausible.core.model import Generative, Model, models
from plausible.data.part import Data
from plausible.evaluation.kept_report import kept_report
from plausible.evaluation.measure import Measure
from plausible.evaluation.report import Report
from plausible.evaluation.verdict.verdict import State, TestResult, Verdict
from plausible.figures.verdicts import verdict_figure
from plausible.runs import Run
from plausible.runs.go_on import start_of
from plausible.runs.log import read_alarms
from plausible.runs.logger import read_findings
from plausible.runs.whereabouts import DataGone
from plausible.tasks.advise import by_weight
from plausible.tasks.course import course_of, items_of
from plausible.tasks.headline import Headline, headline, kept_advice
from plausible.tasks.plain_measures import Question, by_question
from plausible.tasks.provenance import Provenance, provenance
from plausible.tasks.report_pictures import (
    Film,
    SamplesShown,
    Shown,
    kept_pictures,
    kept_samples,
    show_samples,
    training_curves,
    training_film,
)
from plausible.tasks.trained import Trained, TrainedLike, open_trained


class Raised(NamedTuple):
    """Something that was found while it trained, or by a check afterwards.

    mark   the number by which curves show it; empty where it has no round.
    steps  the rounds at which it was raised.
    gone   whether its signs were gone at the end.
    """

    mark: str
    steps: tuple[int, ...]
    finding: Finding
    gone: bool


@dataclass(frozen=True, eq=False)
class RunReport:
    """A run as a person wants to see it: values, matplotlib figures and pictures.

    name       what learned from what, such as "gan of digits".
    items      what its data are called, images or points.
    judged     measures and verdict; None where it was not judged.
    margins    how far each defect is from what is tolerated; None without a verdict.
    questions  the measures that have a number, by what they answer.
    pictures   {what for: those that its folder keeps}, see ``PICTURES``.
    found      what was raised while it trained, and what checks found afterwards.
    notes      what was decided about the data, and what is missing here and why.
    """

    folder: Path
    name: str
    items: str
    headline: Headline
    judged: Report | None
    margins: Shown | None
    questions: tuple[Question, ...]
    samples: SamplesShown
    pictures: dict[str, tuple[Shown, ...]]
    film: Film | None
    curves: tuple[Shown, ...]
    found: tuple[Raised, ...]
    provenance: Provenance
    notes: tuple[str, ...]

    @property
    def defects(self) -> list[TestResult]:
        """The answers of the verdict, what fails first; none without one."""
        verdict = None if self.judged is None else self.judged.verdict
        return [] if verdict is None else _in_order(verdict)

    @property
    def undefined(self) -> list[TestResult]:
        """The defects that these data have no answer for."""
        verdict = None if self.judged is None else self.judged.verdict
        rows = () if verdict is None else verdict.results
        return [row for row in rows if row.state is State.UNDEFINED]

    @property
    def unmeasured(self) -> list[Measure]:
        """The measures that have no number, each with its reason."""
        rows = [] if self.judged is None else self.judged.measures
        return [measure for measure, _ in rows if measure.value is None]

    @property
    def beside_real(self) -> bool:
        """Whether any measure has a value of real data."""
        return any(real is not None for question in self.questions for _, real in question.rows)

    def __repr__(self) -> str:
        return f"RunReport of {self.folder}, {self.name}: {self.headline.words}"


def report(
    source: TrainedLike,
    data: Data | str | Path | None = None,
    *,
    seed: int = 0,
    device: Device = "auto",
    not_judged: str = "",
    progress: Callable[[str], None] = lambda stage: None,
) -> RunReport:
    """What is known of a run: its verdict and what to do next, pictures, curves, measures, and how it was made.

    data        where its data are now, if that is not where they were; without them no real ones are shown.
    seed        of the samples that are drawn to be looked at.
    not_judged  why it could not be judged, where that was tried.
    progress    called with what is being done.
    Nothing is judged here: ``evaluate`` and ``save_report`` do that.  Raises UsageError for what is kept in no run.
    """
    resolve_device(device)
    progress("reading the run")
    run, trained, missing = _opened(source, device)
    if trained is not None and data is not None:
        trained = open_trained(trained, data)
    found, gone = (None, "") if trained is None else _data_of(trained)
    course = None if trained is None else course_of(trained)
    judged = kept_evaluation(run)
    advice = None if judged is None else kept_advice(run, judged, course)
    verdict = None if judged is None else judged.verdict
    raised = _raised(run)
    progress("drawing samples")
    samples = kept_samples(run) if trained is None else show_samples(trained, found, seed)
    progress("drawing curves")
    return RunReport(
        folder=run.folder,
        name=_name(run),
        items=items_of(run.space),
        headline=headline(run, judged, advice, _draws(run, trained), not_judged),
        judged=judged,
        margins=None if verdict is None else _margins(verdict),
        questions=() if judged is None else by_question(judged.measures),
        samples=samples,
        pictures=kept_pictures(run),
        film=training_film(run),
        curves=training_curves(run, _marks(raised)),
        found=raised,
        provenance=provenance(run, trained, course, judged),
        notes=tuple(filter(None, (*run.notes, missing, gone))),
    )


def _opened(source: TrainedLike, device: Device) -> tuple[Run, Trained | None, str]:
    """A run, its model, and why it cannot be opened if it cannot: nothing saved, or networks of its author."""
    if isinstance(source, str | Path):
        source = Run(source)
    run = source.run if isinstance(source, Trained) else source
    if run is None or isinstance(run, Model):
        name = run.name if run is not None else source.model.name  # type: ignore[union-attr]
        raise UsageError(f"this {name} is kept in no run: give fit a folder as out")
    _ = run.config  # UsageError where it is no run
    try:
        return run, open_trained(source, device=device), ""
    except UsageError as reason:
        return run, None, str(reason)


def _data_of(trained: Trained) -> tuple[Data | None, str]:
    """The data of a run, or None, and why they are not shown."""
    try:
        return trained.data_for("diagnose"), ""
    except DataGone as reason:
        return None, f"no real data are shown: {reason}"


def kept_evaluation(run: Run) -> Report | None:
    """What measures.json holds; None where there is none; UsageError where it cannot be read."""
    path = run.folder / "measures.json"
    try:
        kept = run.judged
        return None if kept is None else kept_report(kept)
    except UsageError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} does not hold an evaluation: {error}; judge it again with plausible evaluate {run.folder}"
        ) from error


def _name(run: Run) -> str:
    each = " for each class" if run.per_class else ""
    start = start_of(run)
    more = "" if start is None else f", refined from {Path(start.run).name}"
    return f"{run.config['model']}{each} of {run.config['data']['name']}{more}"


def _draws(run: Run, trained: Trained | None) -> bool:
    """Whether its model draws samples, as far as anybody knows here."""
    kind = models.get(run.config["model"]) if trained is None else type(trained.model)
    return kind is None or issubclass(kind, Generative)


def _margins(verdict: Verdict) -> Shown:
    said = [f"{row.name} {row.state}" for row in verdict.results if row.effect is not None]
    return Shown(
        "How far from what is tolerated",
        verdict_figure(_in_order(verdict)),
        f"Each defect with its effect and 95% interval, in multiples of what is tolerated: {', '.join(said)}.",
        "Each mark is what was found, with its 95% interval. What lies in the shaded part is tolerated; beyond its edge "
        "the scale is compressed.",
    )


def _marks(raised: Sequence[Raised]) -> list[tuple[float, str]]:
    """(round, the numbers of what was raised at it)."""
    marks: dict[int, list[str]] = {}
    for each in raised:
        for step in each.steps:
            marks.setdefault(step, []).append(each.mark)
    return [(float(step), ", ".join(numbers)) for step, numbers in sorted(marks.items())]


def _in_order(verdict: Verdict) -> list[TestResult]:
    """The defects that are defined: what fails, the worst first, then what is open, then what is not there."""
    others = [
        row
        for state in (State.INCONCLUSIVE, State.PASS)
        for row in verdict.results
        if row.state is state
    ]
    return [*by_weight(verdict), *others]


def _raised(run: Run) -> tuple[Raised, ...]:
    """What the log raised, in the order of the rounds; then what checks found that has no round."""
    findings = {finding.phenomenon: finding for finding in read_findings(run)}
    steps: dict[str, list[int]] = {}
    for step, name in read_alarms(run.folder / "log.jsonl"):
        steps.setdefault(name, []).append(step)
    found: list[Raised] = []
    for name, rounds in steps.items():
        last = findings.get(name) or Finding(name, Severity.WARNING, "")
        gone = last.severity is Severity.FINE
        found.append(Raised(str(len(found) + 1), tuple(rounds), last, gone))
    bad = (each for name, each in findings.items() if name not in steps)
    return (*found, *(Raised("", (), each, False) for each in bad if each.severity.rank > 0))
