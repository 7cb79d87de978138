"""All that there is to see of a comparison, in one value: what a page of it shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import plausible.models  # noqa: F401  # fills the registry
from plausible.core.model import models
from plausible.evaluation.report import Report
from plausible.runs import Run
from plausible.tasks.advise import Advice, Next, advise
from plausible.tasks.commands import compare_command
from plausible.tasks.compared import Column, Compared, FamilyResult, RunResult, number
from plausible.tasks.comparison_file import open_comparison, tradeoff_figure
from plausible.tasks.course import items_of
from plausible.tasks.headline import Headline, command, headline, kept_advice
from plausible.tasks.provenance import data_hashes, shape_in_words
from plausible.tasks.report import kept_evaluation
from plausible.tasks.report_pictures import Shown, kept_samples, opened_picture, training_curves

_CURVES = 2  # of each family, the most telling first
_NARROW = 600  # pixels, up to which a picture is read in a narrow window too


class Cell(NamedTuple):
    """A number of one family.

    text      the number with its sign; empty where it has none.
    interval  of its mean over seeds at 95%; empty of a single seed.
    best      whether no other family has a better one.
    """

    text: str
    interval: str = ""
    best: bool = False


class NotCompared(NamedTuple):
    """A family, or one training of it, of which nothing came, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class FamilyShown:
    """One family by its first run.

    described  which run it is.
    headline   what to say first of it; None where its folder is gone.
    samples, curves  as its folder keeps them.
    next       what to try first, and how to see all of it.
    """

    name: str
    verdict: str
    described: str
    headline: Headline | None
    samples: tuple[Shown, ...] = ()
    curves: tuple[Shown, ...] = ()
    next: tuple[Next, ...] = ()


@dataclass(frozen=True)
class Made:
    """How a comparison was made: {what: value}, commands, {package: version}, {part of the data: sha256}."""

    facts: Mapping[str, str]
    commands: tuple[Next, ...]
    versions: Mapping[str, str]
    hashes: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class ComparisonReport:
    """A comparison as a person wants to see it: values, matplotlib figures and pictures.

    items         what its data are called, images or points.
    progress      how far it came, in a sentence; empty where it is finished.
    next          how to go on where it is not.
    rows          {column: a cell for each of ``alive``}.
    not_compared  what is in no row.
    pictures      what each draws beside real data.
    tradeoff      quality against time; None where fewer than two families draw.
    families      each by its first run.
    """

    compared: Compared
    items: str
    progress: str
    next: tuple[Next, ...]
    rows: Mapping[Column, tuple[Cell, ...]]
    not_compared: tuple[NotCompared, ...]
    pictures: tuple[Shown, ...]
    tradeoff: Shown | None
    families: tuple[FamilyShown, ...]
    made: Made

    @property
    def alive(self) -> tuple[FamilyResult, ...]:
        """The families of which something came."""
        return tuple(family for family in self.compared.families if not family.failed)

    @property
    def drawing(self) -> tuple[FamilyResult, ...]:
        """The families that draw samples, which can have defects."""
        return tuple(family for family in self.compared.families if family.draws)

    @property
    def several(self) -> bool:
        """Whether any family was trained more than once."""
        return any(len(family.finished) > 1 for family in self.compared.families)

    @property
    def judged_by(self) -> int:
        """The held-out examples that each was held against, at most."""
        return min(self.compared.plan.n, self.compared.heldout)

    @property
    def without_best(self) -> list[str]:
        """The numbers of which none is marked as the best, because they have no better side."""
        return [column.name for column in self.rows if column.direction is None]

    @property
    def words(self) -> str:
        """All of it in a sentence."""
        return self.progress or self.compared.advice[0]

    def __repr__(self) -> str:
        return f"ComparisonReport of {self.compared.folder}: {self.words}"


def report_comparison(
    source: Compared | str | Path, progress: Callable[[str], None] = lambda stage: None
) -> ComparisonReport:
    """What came of a comparison: advice, numbers, defects, pictures, and how it was made.

    progress  called with what is being done.
    Nothing is trained or judged here: ``compare`` does that.  Raises UsageError for what is no comparison.
    """
    progress("reading the comparison")
    compared = source if isinstance(source, Compared) else open_comparison(source)
    alive = [family for family in compared.families if not family.failed]
    runs = {family.name: _run_of(compared, family.finished[0]) for family in alive}
    there = [run for run in runs.values() if run is not None]
    judged = {
        name: None if run is None else kept_evaluation(Run(_measured_in(compared, name, run)))
        for name, run in runs.items()
    }
    progress("drawing curves")
    return ComparisonReport(
        compared=compared,
        items=items_of(there[0].space) if there else "examples",
        progress=_progress(compared),
        next=() if compared.finished else (Next("go on with it", _go_on(compared)),),
        rows={column: _cells(column, alive) for column in compared.columns},
        not_compared=_not_compared(compared),
        pictures=_pictures(compared),
        tradeoff=_tradeoff(compared),
        families=tuple(
            _family(compared, each, runs[each.name], judged[each.name]) for each in alive
        ),
        made=_made(compared, there, [each for each in judged.values() if each]),
    )


def _run_of(compared: Compared, result: RunResult) -> Run | None:
    """The run, also of a comparison that was moved; None where its folder is gone."""
    inside = compared.folder / result.folder.name
    places = (inside, result.folder) if result.seed is not None else (result.folder, inside)
    return next((Run(place) for place in places if (place / "config.json").exists()), None)


def _measured_in(compared: Compared, name: str, run: Run) -> Path:
    """The folder by whose measures.json it was compared: runs that were there keep their own beside it."""
    place = compared.folder / name
    return place if (place / "measures.json").exists() else run.folder


def _progress(compared: Compared) -> str:
    if compared.finished:
        return ""
    planned = sum(compared.plan.seeds if name in models else 1 for name in compared.plan.models)
    done = sum(len(family.runs) for family in compared.families)
    return (
        f"This comparison is not finished: {done} of {planned} runs are trained and judged."
        if done < planned
        else "This comparison is not finished: all runs are judged, and the two best are not held against one another yet."
    )


def _go_on(compared: Compared) -> str:
    place = () if compared.plan.data else ("--data", "FOLDER")
    return command(compared.folder, "compare", *place)


def _cells(column: Column, families: list[FamilyResult]) -> tuple[Cell, ...]:
    """A column of the comparison, family by family, the best marked where one side is better."""
    found = {family.name: family.interval(column.name) for family in families}
    means = [each.mean for each in found.values() if each is not None]
    best = ""
    if column.direction in ("lower", "higher") and len(set(map(number, means))) > 1:
        best = number(min(means) if column.direction == "lower" else max(means))
    cells = []
    for family in families:
        each = found[family.name]
        if each is None:
            cells.append(Cell(""))
            continue
        text = number(each.mean)
        span = "" if each.low is None or each.high is None else f"{number(each.low)} to {number(each.high)}"  # fmt: skip
        cells.append(Cell(f"{family.sign(column.name)} {text}".strip(), span, text == best))
    return tuple(cells)


def _not_compared(compared: Compared) -> tuple[NotCompared, ...]:
    found = []
    for family in compared.families:
        if family.failed:
            found.append(NotCompared(family.name, family.failed))
        else:
            lost = (run for run in family.runs if run.failed)
            found += [NotCompared(f"{family.name}, seed {run.seed}", run.failed) for run in lost]
    return tuple(found)


def _pictures(compared: Compared) -> tuple[Shown, ...]:
    """samples.png of the comparison."""
    picture = opened_picture(compared.folder / "samples.png")
    if picture is None:
        return ()
    names = ", ".join(family.name for family in compared.families if family.draws)
    says = f"Held-out data, and beside them samples of {names}."
    caption = "Each by its first run, from seed 0, with no choice among the samples."
    return (Shown("Side by side", picture, says, caption, wide=picture.width > _NARROW),)


def _tradeoff(compared: Compared) -> Shown | None:
    said = []
    for family in compared.families:
        speed, multiple = family.interval("drawing speed"), family.interval("Frechet multiple")
        if speed is not None and multiple is not None:
            said.append(f"{family.name} {number(1000 / speed.mean)} s and {number(multiple.mean)}")
    if len(said) < 2:
        return None
    return Shown(
        "Who is not beaten in both",
        tradeoff_figure(compared),
        "Points, one a family: the seconds that 1,000 samples take, and the Frechet distance as a multiple of that of "
        f"real data: {'; '.join(said)}.",
        "Left is faster, and lower is nearer to real data. The line joins the families that no other beats in both.",
    )


def _family(
    compared: Compared, family: FamilyResult, run: Run | None, judged: Report | None
) -> FamilyShown:
    """A family by its first run."""
    first = family.finished[0]
    described = f"the run {first.folder}" if first.seed is None else f"seed {first.seed}"
    if run is None:
        return FamilyShown(family.name, family.verdict, described, None)
    said = headline(run, judged, _advice(compared, family.name, run, judged), family.draws)
    whole = Next("see all of this run", command(run.folder, "report"))
    return FamilyShown(
        family.name,
        family.verdict,
        described,
        said,
        kept_samples(run).pictures,
        training_curves(run, ())[:_CURVES],
        (*said.next[:1], whole),
    )


def _advice(compared: Compared, name: str, run: Run, judged: Report | None) -> Advice | None:
    """That which its folder keeps, where it was compared by its own measures."""
    if judged is None:
        return None
    if _measured_in(compared, name, run) != run.folder:
        return advise(judged, None)
    return kept_advice(run, judged, None)


def _made(compared: Compared, runs: list[Run], judged: list[Report]) -> Made:
    plan, sealed = compared.plan, next((each.seal for each in judged if each.seal), None)
    trainings = f"{plan.seeds}, with the seeds 0 to {plan.seeds - 1}" if plan.seeds > 1 else "1"
    facts = {
        "families": ", ".join(Path(name).name for name in plan.models),
        "data": f"{compared.data}: {shape_in_words(runs[0])}" if runs else compared.data,
        "read from": plan.data or "memory",
        "budget of each training": plan.budget,
        "trainings of each family": trainings,
        "judged by": f"at most {plan.n:,} samples of each, and of the same {compared.heldout:,} held-out examples",
        "folder": str(compared.folder),
    }
    commands = (
        Next("make it again", compare_command(plan)),
        Next("write this page again", command(compared.folder, "report", "--overwrite")),
    )
    hashes = data_hashes(runs[0]) if runs else {}
    return Made(facts, commands, {} if sealed is None else dict(sealed.versions), hashes)
