"""Which choices of a model suit these data?  Trials by optuna, measured by validation data; the best is judged once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import filelock

from plausible.core.choices import Device
from plausible.core.device import resolve_device
from plausible.core.errors import NotDefined, UsageError
from plausible.core.model import Model, models
from plausible.data.load import load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data
from plausible.models.per_class import PerClass
from plausible.runs import Run, build
from plausible.tasks.advise import advise
from plausible.tasks.course import course_of
from plausible.tasks.evaluate import evaluate
from plausible.tasks.eyes import StageProgress
from plausible.tasks.save import save_picture, save_report
from plausible.tasks.search_space import search_space
from plausible.tasks.sweep_plan import (
    AGAIN,
    CHOICES,
    NUMBER,
    REASON,
    SweepPlan,
    check_same,
    need_optuna,
    open_plan,
    open_study,
)
from plausible.tasks.sweep_trials import numbered, place_of, run_trials, take_up
from plausible.tasks.trained import open_trained
from plausible.tasks.validation_score import measured_by

_LOOK = 0.2  # seconds between two looks at what other processes have done
_WORK = "import sys; from plausible.tasks.sweep_trials import work; work(sys.argv[1])"
_STATES = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running"}


@dataclass(frozen=True)
class Trial:
    """One trial.

    number   0 is the model as it is by default.
    state    finished, pruned, failed or running.
    choices  what was varied, as its model has it.
    score    lower is better; None where it has none: of a pruned one what was probed last is no score.
    reason   why it failed; empty where it did not.
    """

    number: int
    folder: Path
    state: str
    choices: dict[str, Any]
    score: float | None
    reason: str = ""


@dataclass(frozen=True)
class Swept:
    """What a sweep has found so far.

    measured  what the score of a trial is.
    trials    the best first, then those without a score.
    finished  whether all trials are done.
    unjudged  why the best was not judged; empty where it was, or there is none.
    """

    plan: SweepPlan
    folder: Path
    measured: str
    trials: tuple[Trial, ...]
    finished: bool
    unjudged: str = ""

    @property
    def best(self) -> Trial | None:
        """The trial with the lowest score."""
        return next((trial for trial in self.trials if trial.score is not None), None)

    @property
    def verdict(self) -> str | None:
        """That of the best by held-out data; None where it was not judged."""
        return None if self.best is None else Run(self.best.folder).verdict

    @property
    def judged(self) -> int:
        """How many trials were judged by held-out data: one, unless a sweep went on and another was the best."""
        return sum((trial.folder / "measures.json").exists() for trial in self.trials)

    @property
    def sentence(self) -> str:
        """What was found, and what held-out data have to do with it."""
        best = self.best
        if best is None:
            return "no trial was finished, so there is none to keep"
        chosen = ", ".join(f"{name} {_short(value)}" for name, value in best.choices.items())
        usual = next((t for t in self.trials if t.number == 0 and t.score is not None), None)
        beside = "" if usual is None or usual is best else f", {usual.score:.4g} by default"
        text = f"the best of {len(self.trials):,} trials has {chosen}: {best.score:.4g}{beside}"
        if not self.finished:
            return text
        if not (best.folder / "measures.json").exists():
            return f"{text}; it was not judged{f': {self.unjudged}' if self.unjudged else ''}"
        said = f"{text}; judged by held-out data it is {self.verdict or 'as measured'}"
        others = self.judged - 1
        if not others:
            return f"{said}, and no other trial has been judged"
        return (
            f"{said}, and {others} other trial{'s have' if others > 1 else ' has'} been judged, too"
        )


def sweep(
    model: str | type[Model],
    data: Any = "digits",
    *,
    trials: int,
    steps: int | None = None,
    minutes: float | None = None,
    total_minutes: float | None = None,
    search: str = "",
    workers: int = 1,
    seed: int = 0,
    study: str | Path | None = None,
    options: Options = DEFAULTS,
    config: Model.Config | None = None,
    per_class: bool = False,
    device: Device = "auto",
    judge: bool = True,
    progress: StageProgress = lambda stage, share: None,
    on_notes: Callable[[tuple[str, ...]], None] = lambda notes: None,
    on_result: Callable[[Trial], None] = lambda trial: None,
) -> Swept:
    """Try choices of a model on the same data, seed and budget; the best by validation data is judged by held-out data.

    data     ``Data``, or whatever ``load`` takes.
    trials   how many in all; a study that has fewer goes on, so the same call goes on where it stopped.
    steps, minutes  the budget of one trial; ``total_minutes`` is divided among all.  With none what suits the model.
    search   what is varied: see ``search_space``.  Trial 0 is the model as it is by default.
    workers  processes that take trials of the study at the same time; the data then need a name or a path.
    seed     of the trainings and of what is chosen: with one worker the same call tries the same.
    study    the folder, by default sweeps/<model>-<data>.
    config   the choices that stay.
    per_class  every trial is one model for each class.
    judge    judge the best when all are done.
    on_result  called with every trial that ends.
    A trial that is hopeless beside the others, by what its training probed, is pruned.  On Ctrl-C what there is comes back
    with ``finished`` False.  Raises UsageError for a folder with another sweep, or what cannot be tried.
    """
    need_optuna()
    resolve_device(device)
    known = data if isinstance(data, Data) else load(data, options)
    on_notes(known.notes)
    if workers > 1 and (not known.source or isinstance(data, Data)):
        raise UsageError("several workers each read the data: give a name or a path")
    kind = models[model] if isinstance(model, str) else model
    chosen = config or kind.Config()
    example = build(kind.name, chosen, known.space, seed, per_class)
    space = search_space(example.models[0] if isinstance(example, PerClass) else example, search)
    if total_minutes is not None:
        minutes = _share(total_minutes, trials, workers, steps or minutes)
    if steps is None and minutes is None:
        steps = example.default_steps
    plan = SweepPlan(
        kind.name, asdict(chosen), "" if isinstance(data, Data) else known.source, known.options, trials, steps, minutes,
        seed, space, device, known.hashes, per_class,
    )  # fmt: skip
    folder = Path(study) if study is not None else default_study(kind.name, known.name, per_class)
    with _alone(folder):
        before = open_plan(folder)
        if before is not None:
            check_same(folder, before, plan)
        plan.save(folder)
        return _swept(
            plan, folder, known, measured_by(example), workers, judge, progress, on_result
        )


def default_study(model: str, data: str, per_class: bool = False) -> Path:
    """sweeps/<model>-<data>: without the time, so that the same command goes on."""
    return Path("sweeps") / f"{model}{'-per-class' * per_class}-{data}"


def _swept(
    plan: SweepPlan,
    folder: Path,
    data: Data,
    measured: str,
    workers: int,
    judge: bool,
    progress: StageProgress,
    on_result: Callable[[Trial], None],
) -> Swept:
    """All trials that there are not yet, and the best of them judged."""
    study = open_study(folder, plan)
    take_up(study)
    ended = {trial.number for trial in _trials(study, folder) if trial.state != "running"}

    def tell(number: int = 0, what: str = "", share: float = 0.0) -> None:
        for trial in _trials(study, folder):
            if trial.state != "running" and trial.number not in ended:
                ended.add(trial.number)
                on_result(trial)
        progress(f"trial {number + 1} of {plan.trials}: {what}", (len(ended) + share) / plan.trials)

    try:
        if workers == 1:
            finished = run_trials(folder, plan, data, study, _seldom(tell))
        else:
            finished = _several(folder, workers, study, plan, tell)
        tell()
        swept = Swept(plan, folder, measured, _trials(study, folder), finished)
    except KeyboardInterrupt:
        return Swept(plan, folder, measured, _trials(study, folder), False)
    try:
        return _with_verdict(swept, data, progress) if finished and judge else swept
    except KeyboardInterrupt:
        return replace(swept, finished=False)


def _several(
    folder: Path, workers: int, study: Any, plan: SweepPlan, tell: Callable[..., None]
) -> bool:
    """Trials by processes of their own, which Ctrl-C reaches through this one; whether all were done."""
    cores = max(1, (os.cpu_count() or 1) // workers)
    around = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(cores))}
    with (folder / "workers.txt").open("wb") as said:
        children = [
            subprocess.Popen(
                [sys.executable, "-c", _WORK, str(folder)],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=around, start_new_session=True,
            )
            for _ in range(workers)
        ]  # fmt: skip
        try:
            while any(child.poll() is None for child in children):
                time.sleep(_LOOK)
                tell(numbered(study) - 1, f"{workers} processes learn")
        except BaseException:
            for child in children:
                child.terminate()  # which a training takes for Ctrl-C
            raise
        finally:
            for child in children:
                child.wait()
    codes = [child.returncode for child in children]
    ended = [trial for trial in _trials(study, folder) if trial.state != "running"]
    if any(codes) and len(ended) < plan.trials:
        raise UsageError(
            f"a worker {_ending(next(filter(None, codes)))} after {len(ended):,} of {plan.trials:,} trials were done: "
            f"{folder / 'workers.txt'} has what it said, and the same command goes on"
        )
    return len(ended) >= plan.trials


def _ending(code: int) -> str:
    """How a process ended that did not end well."""
    return f"was ended by the system ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"  # fmt: skip


def _seldom(tell: Callable[..., None]) -> Callable[[int, str, float], None]:
    """Not at every round: to ask the study takes longer than one."""
    latest = [0.0]

    def told(number: int, what: str, share: float) -> None:
        if time.monotonic() - latest[0] > _LOOK * 5:
            latest[0] = time.monotonic()
            tell(number, what, share)

    return told


def _with_verdict(swept: Swept, data: Data, progress: StageProgress) -> Swept:
    """The best judged by held-out data, where that was not done yet."""
    best = swept.best
    if best is None or Run(best.folder).judged is not None:
        return swept
    trained = open_trained(best.folder, data if not swept.plan.data else None)
    try:
        save_picture(trained)
        report = evaluate(trained, progress=progress)
    except (NotDefined, UsageError) as reason:
        return replace(swept, unjudged=str(reason))
    save_report(report, best.folder, trained.data, advise(report, course_of(trained)))
    return swept


def _trials(study: Any, folder: Path) -> tuple[Trial, ...]:
    """Every trial that was begun, the best first."""
    rows = [
        Trial(
            int(each.user_attrs[NUMBER]), place_of(folder, int(each.user_attrs[NUMBER])), _STATES[each.state.name],
            dict(each.user_attrs.get(CHOICES, {})), each.value if each.state.name == "COMPLETE" else None, each.user_attrs.get(REASON, ""),
        )
        for each in study.get_trials(deepcopy=False)
        if NUMBER in each.user_attrs and not each.user_attrs.get(AGAIN) and each.state.name in _STATES
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda t: (t.score is None, t.score or 0.0, t.number)))


def _share(total: float, trials: int, workers: int, other: float | None) -> float:
    """The minutes of one trial."""
    if other:
        raise UsageError(
            "--total-minutes is divided among the trials: leave out --minutes and --steps"
        )
    return total * min(workers, trials) / trials


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else begins trials in this folder; its workers are of whoever does."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as taken:
        raise UsageError(
            f"another process is busy with the sweep in {folder}: wait, or choose another --study"
        ) from taken
    try:
        yield
    finally:
        lock.release()
