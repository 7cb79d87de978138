"""Which family for these data?  Each trained on the same split and budget, judged by the same held-out part."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import plausible.models  # noqa: F401  # fills the registry
from plausible.core.choices import Device
from plausible.core.device import resolve_device
from plausible.core.errors import NotDefined, UsageError, unknown
from plausible.core.model import models
from plausible.data.load import load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data
from plausible.evaluation.paired import Comparison
from plausible.runs import Run, discard_unsaved
from plausible.tasks.compared import Compared, FamilyResult, Plan, RunResult, ranked
from plausible.tasks.comparison_file import (
    open_comparison,
    save_comparison_file,
    save_pictures,
    save_table,
)
from plausible.tasks.evaluate_against import evaluate_against
from plausible.tasks.expect import judging_seconds
from plausible.tasks.eyes import StageProgress
from plausible.tasks.fit import fit, resume
from plausible.tasks.fit_steps import Failed
from plausible.tasks.recommend import recommend
from plausible.tasks.run_result import judged, result_of
from plausible.tasks.trained import Trained, TrainedLike, open_trained


@dataclass(frozen=True)
class _Entrant:
    """One run that takes part: of a family with a seed, or one that was there."""

    name: str
    folder: Path
    seed: int | None
    trained: Trained | None = None

    @property
    def described(self) -> str:
        return self.name if self.seed is None else f"{self.name}, seed {self.seed}"


def compare(
    entrants: Sequence[str | TrainedLike],
    data: Any = None,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    seeds: int = 1,
    out: str | Path | None = None,
    options: Options = DEFAULTS,
    n: int = 5000,
    device: Device = "auto",
    progress: StageProgress | None = None,
    on_notes: Callable[[tuple[str, ...]], None] = lambda notes: None,
    on_result: Callable[[RunResult], None] = lambda result: None,
) -> Compared:
    """Train each family on the same split and budget, judge all by the same held-out part, and put them in one table.

    entrants  names of families ("gan", "vae"), and runs or their folders, which are judged as they are.
    data      ``Data``, or whatever ``load`` takes; by default the data of the runs, otherwise the digits.
    steps, minutes  the budget of one training; with neither what suits each family.
    seeds     trainings of each family.
    out       the folder of the comparison, new or empty; by default comparisons/<data>-<time>.
    n         the most samples, and held-out examples, that each is judged by.
    on_result  called with what came of each run.
    A failure is a row with its reason, and the others go on.  On Ctrl-C what there is comes back
    with ``finished`` False; ``continue_comparison`` goes on.  Raises UsageError for an unknown family, or runs of other data.
    """
    if len(entrants) < 2 and seeds < 2:
        raise UsageError("a comparison needs at least two families or runs, such as gan and vae")
    if seeds < 1:
        raise UsageError(f"a family is trained with at least 1 seed, not {seeds}")
    resolve_device(device)
    report = progress or (lambda stage, share: None)
    opened = {
        k: _opened(entrant, device) for k, entrant in enumerate(entrants) if not _is_family(entrant)
    }
    known = _common_data(list(opened.values()), data, options, report)
    on_notes((*known.notes, *_expected(entrants, opened, known, minutes, seeds, n)))
    names = [
        _run_name(opened[k]) if k in opened else str(entrant) for k, entrant in enumerate(entrants)
    ]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise UsageError(f"{repeated} is to be compared with itself: name each only once")
    folder = _new_folder(out, known)
    places = tuple(
        str(_folder_of(opened[k])) if k in opened else names[k] for k in range(len(names))
    )
    plan = Plan(places, known.source, known.options, steps, minutes, seeds, n)
    return _played(
        plan, folder, known, dict(enumerate(names)), opened, {}, device, report, on_result
    )


def continue_comparison(
    folder: str | Path,
    data: Any = None,
    *,
    device: Device = "auto",
    progress: StageProgress | None = None,
    on_notes: Callable[[tuple[str, ...]], None] = lambda notes: None,
    on_result: Callable[[RunResult], None] = lambda result: None,
) -> Compared:
    """Go on with a comparison where it stopped: what is done stays, trainings go on, what failed is tried again.

    data  where its data are now, if that is not where they were.
    """
    resolve_device(device)
    before, report = open_comparison(folder), progress or (lambda stage, share: None)
    plan = before.plan
    opened = {
        k: _opened(place, device) for k, place in enumerate(plan.models) if place not in models
    }
    if data is None and not plan.data and not opened:
        raise UsageError(f"the data of {folder} were given in memory: give them again")
    known = _common_data(list(opened.values()), data or plan.data or None, plan.options, report)
    on_notes(known.notes)
    names = {k: _run_name(opened[k]) if k in opened else name for k, name in enumerate(plan.models)}
    done = {run.folder: run for family in before.families for run in family.runs if not run.failed}
    return _played(plan, Path(folder), known, names, opened, done, device, report, on_result)


def _played(
    plan: Plan,
    folder: Path,
    data: Data,
    names: dict[int, str],
    opened: dict[int, Trained],
    done: dict[Path, RunResult],
    device: Device,
    progress: StageProgress,
    on_result: Callable[[RunResult], None],
) -> Compared:
    """Every run that is not done yet, and the table after each of them."""
    entrants: list[_Entrant] = []
    for k, name in names.items():
        if k in opened:
            entrants.append(_Entrant(name, _folder_of(opened[k]), None, opened[k]))
        else:
            entrants += [_Entrant(name, folder / f"{name}-{s}", s) for s in range(plan.seeds)]
    results: dict[str, list[RunResult]] = {name: [] for name in names.values()}
    for i, entrant in enumerate(entrants):
        lead = f"{entrant.described} ({i + 1} of {len(entrants)})"
        said = lambda stage, share, lead=lead: progress(f"{lead}: {stage}", share)  # noqa: E731
        result = done.get(entrant.folder) or _result(entrant, plan, folder, data, device, said)
        if result is None:  # Ctrl-C
            return _kept(plan, folder, data, results, finished=False)
        results[entrant.name].append(result)
        if entrant.folder not in done:
            on_result(result)
            _kept(plan, folder, data, results, finished=False)
    compared = _kept(plan, folder, data, results, finished=False)
    try:
        paired = _paired(compared, data, device, progress)
    except KeyboardInterrupt:
        return compared
    compared = replace(compared, paired=paired, finished=True)
    compared = save_comparison_file(replace(compared, advice=recommend(compared)))
    save_table(compared)
    save_pictures(compared, data)
    return compared


def _result(
    entrant: _Entrant,
    plan: Plan,
    folder: Path,
    data: Data,
    device: Device,
    progress: StageProgress,
) -> RunResult | None:
    """What came of one run, or why nothing did; None where it was interrupted."""
    progress("beginning", 0.0)
    try:
        trained = entrant.trained or _trained(entrant, plan, data, device, progress)
        if not trained.finished:
            return None
        place = entrant.folder if entrant.trained is None else folder / entrant.name
        measured = judged(trained, place, plan.n, progress)
        progress("timing how fast it draws", 1.0)
        return result_of(entrant.name, entrant.seed, trained, measured)
    except KeyboardInterrupt:  # while it is judged
        return None
    except (UsageError, NotDefined, Failed, MemoryError, RuntimeError) as reason:
        sentence = " ".join(str(reason).split()) or type(reason).__name__
        return RunResult(entrant.name, entrant.seed, entrant.folder, sentence)


def _trained(
    entrant: _Entrant, plan: Plan, data: Data, device: Device, progress: StageProgress
) -> Trained:
    """A family trained to the end of its budget, from the beginning or from its last save."""

    def on_step(step: Any) -> None:
        progress("learning", step.clock.progress)

    run = Run(entrant.folder)
    if (run.folder / "config.json").exists():
        if run.progress is None:  # it was stopped before its first save
            discard_unsaved(run)
        elif run.progress >= 1:
            return open_trained(run, data, device=device)
        else:
            return resume(run, data=plan.data or None, device=device, on_step=on_step)
    assert entrant.seed is not None
    first = Run(entrant.folder.parent / f"{entrant.name}-0")
    begun = (
        first.folder / "config.json"
    ).exists()  # seeds of a family are of one size and precision
    alike = first.model_config if begun else None
    return fit(
        entrant.name,
        data,
        config=alike,
        precision=first.settings.precision if begun else "auto",
        steps=plan.steps,
        minutes=plan.minutes,
        seed=entrant.seed,
        out=entrant.folder,
        device=device,
        on_step=on_step,
    )


def _paired(
    compared: Compared, data: Data, device: Device, progress: StageProgress
) -> Comparison | None:
    """Paired tests between the first runs of the two best that draw; None where there are not two, or nothing to test."""
    best = [family for family in compared.families if family.draws][:2]
    if len(best) < 2:
        return None
    runs = [next(run for run in family.finished if run.verdict) for family in best]
    lead = f"{best[0].name} against {best[1].name}"
    try:
        found = evaluate_against(
            runs[0].folder,
            runs[1].folder,
            data,
            n=compared.plan.n,
            device=device,
            progress=lambda stage, share: progress(f"{lead}: {stage}", share),
        )
    except NotDefined:
        return None
    return replace(found, names=(best[0].name, best[1].name))


def _kept(
    plan: Plan, folder: Path, data: Data, results: dict[str, list[RunResult]], *, finished: bool
) -> Compared:
    """The table so far, written down."""
    families = ranked([FamilyResult(name, tuple(runs)) for name, runs in results.items()])
    return save_comparison_file(
        Compared(
            plan,
            folder,
            data.name,
            len(data.heldout),
            families,
            finished=finished,
            notes=data.notes,
        )
    )


def _expected(
    entrants: Sequence[str | TrainedLike],
    opened: Mapping[int, Trained],
    data: Data,
    minutes: float | None,
    seeds: int,
    n: int,
) -> tuple[str, ...]:
    """How long all of it takes, in a sentence; nothing where the budget is no time."""
    trainings = (len(entrants) - len(opened)) * seeds
    if minutes is None:
        return ()
    judging = (trainings + len(opened) + 1) * judging_seconds(None, data, n=n) / 60
    return (
        f"{trainings} training{'s' * (trainings != 1)} of {minutes:g} minute{'s' * (minutes != 1)} and about {judging:.0f} minutes "
        "to judge them: families that draw slowly take longer",
    )


def _is_family(entrant: str | TrainedLike) -> bool:
    """Whether it names a family; UsageError for what names neither a family nor a run."""
    if not isinstance(entrant, str):
        return False
    if entrant in models:
        return True
    if not Path(entrant).exists():
        raise UsageError(f"{unknown('family', entrant, list(models))}, or give the folder of a run")
    return False


def _opened(entrant: str | TrainedLike, device: Device) -> Trained:
    trained = open_trained(entrant, device=device)
    if trained.run is None:
        raise UsageError(
            f"{trained.described} in memory, and a comparison takes runs: give fit a folder as out"
        )
    return trained


def _folder_of(trained: Trained) -> Path:
    assert trained.run is not None
    return trained.run.folder.resolve()


def _run_name(trained: Trained) -> str:
    return _folder_of(trained).name


def _common_data(
    runs: Sequence[Trained], data: Any, options: Options, progress: StageProgress
) -> Data:
    """What all are trained on and held against; UsageError where runs hold out other data."""
    if isinstance(data, Data):
        known = data
    elif data is None and runs:
        known = runs[0].data
    else:
        asked = "digits" if data is None else data
        known = load(asked, options, lambda done, of: progress("reading the data", done / of))
    for run in runs:
        assert run.run is not None
        if run.run.hashes["heldout"] != known.hashes["heldout"]:
            raise UsageError(
                f"{run.run.folder} holds out other data than {known.name} does here: models can be compared only where "
                "none has seen what all are held against; train all on the same --data"
            )
    return known


def default_folder(data: str) -> Path:
    """comparisons/<data>-<time>."""
    return Path("comparisons") / f"{data}-{time.strftime('%Y%m%d-%H%M%S')}"


def _new_folder(out: str | Path | None, data: Data) -> Path:
    folder = Path(out) if out is not None else default_folder(data.name)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder} exists, and a comparison is never overwritten: choose another")
    return folder
