"""The trials of a sweep, one after the other: each an ordinary run, whose study of optuna chooses and prunes.

A trial has a number, by which its folder and the seed of what is chosen for it are known, so that one that was stopped
goes on as the same, and the same command tries the same.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from plausible.core.errors import NotDefined, UsageError
from plausible.data.load import load
from plausible.data.part import Data
from plausible.runs import Run, Weights, save
from plausible.tasks.fit_steps import Failed, fit_steps, monitored
from plausible.tasks.start import restart, start
from plausible.tasks.sweep_plan import (
    AGAIN,
    CHOICES,
    NUMBER,
    REASON,
    SweepPlan,
    need_optuna,
    open_plan,
    open_study,
)
from plausible.tasks.trained import Trained
from plausible.tasks.validation_score import validation_score
from plausible.training import Training

_OF_THE_BUDGET = 20  # moments of a budget of minutes at which trials are compared
_LARGE = 1_000_003  # between the seeds of two sweeps

OnTrial = Callable[[int, str, float], None]
"""Called with the number of a trial, what it does, and the share of it that is done."""


def run_trials(
    folder: Path,
    plan: SweepPlan,
    data: Data,
    study: Any,
    on_trial: OnTrial,
    *,
    several: bool = False,
) -> bool:
    """Take trials until there are enough; False where Ctrl-C ended that.

    several  whether others take trials of this study at the same time.
    """
    parent = os.getppid()
    while numbered(study) < plan.trials or _waiting(study):
        if several and os.getppid() != parent:
            return False
        trial = study.ask()
        number = _number(study, trial)
        if number >= plan.trials and NUMBER not in trial.user_attrs:  # another one was quicker
            trial.set_user_attr(AGAIN, True)
            study.tell(trial, state=_states().FAIL)
            return True
        trial.set_user_attr(NUMBER, number)
        study.sampler = _sampler(plan, number, several)
        if not _run_trial(folder, plan, data, study, trial, number, on_trial):
            return False
    return True


def _run_trial(
    folder: Path,
    plan: SweepPlan,
    data: Data,
    study: Any,
    trial: Any,
    number: int,
    on_trial: OnTrial,
) -> bool:
    """One trial to its end, its pruning or its failure, which the study is told; False where Ctrl-C stopped it."""
    choices = {each.name: each.suggest(trial) for each in plan.space}
    trial.set_user_attr(CHOICES, choices)
    try:
        run, training = _begun(place_of(folder, number), plan, data, choices)
        if _pruned(run, training, plan, trial, lambda share: on_trial(number, "learning", share)):
            study.tell(trial, state=_states().PRUNED)
        elif not training.finished:
            return False
        else:
            study.tell(
                trial, validation_score(Trained(run.model(training.device), run, _data=data))
            )
    except (UsageError, NotDefined, Failed, MemoryError, RuntimeError) as reason:
        trial.set_user_attr(REASON, " ".join(str(reason).split()) or type(reason).__name__)
        study.tell(trial, state=_states().FAIL)
    return True


def _begun(
    place: Path, plan: SweepPlan, data: Data, choices: Mapping[str, Any]
) -> tuple[Run, Training[Any]]:
    """The run of a trial about to learn, from its beginning or from where it was stopped."""
    run = Run(place)
    if (place / "config.json").exists() and (run.progress is None or not plan.data):
        shutil.rmtree(
            place
        )  # nothing was saved, or its data were in memory and are not found again
    if (place / "config.json").exists():
        return restart(run, data=plan.data, device=plan.device)
    return start(
        plan.kind, data, config=plan.chosen(choices), settings=plan.settings, per_class=plan.per_class, out=place,
        device=plan.device,
    )  # fmt: skip


def _pruned(
    run: Run,
    training: Training[Any],
    plan: SweepPlan,
    trial: Any,
    on_share: Callable[[float], None],
) -> bool:
    """Train; whether that was ended because what is probed is hopeless beside other trials, and saved."""
    monitor = monitored(run, training)
    steps = fit_steps(run, training, monitor)
    seen = 0 if monitor is None else len(monitor.history.probed)
    said: set[int] = set()
    for step in steps:
        on_share(step.clock.progress)
        if monitor is None or len(monitor.history.probed) <= seen:
            continue
        seen, score = len(monitor.history.probed), monitor.score
        at = step.clock.step
        if plan.minutes is not None:
            at = int(_OF_THE_BUDGET * step.clock.progress)
        if score is None or at in said:
            continue
        said.add(at)
        trial.report(score, at)
        if trial.should_prune() and not training.finished:
            best = None if monitor.best is None else Weights(monitor.best, monitor.best_steps)
            save(run, training, best, keep=True)
            steps.close()  # type: ignore[attr-defined]
            return True
    return False


def place_of(folder: Path, number: int) -> Path:
    """The folder of the run of a trial."""
    return folder / "trials" / f"{number:04}"


def numbered(study: Any) -> int:
    """How many trials a study has, one that was stopped and goes on counted once."""
    return sum(not trial.user_attrs.get(AGAIN) for trial in study.get_trials(deepcopy=False))


def take_up(study: Any) -> None:
    """Have trials that nobody plays any more, because their process was ended, tried again from where they are."""
    states = _states()
    for trial in study.get_trials(deepcopy=True, states=(states.RUNNING,)):
        number = trial.user_attrs.get(NUMBER)
        if number is not None:
            study.enqueue_trial(trial.params, user_attrs={NUMBER: number})
        study._storage.set_trial_user_attr(trial._trial_id, AGAIN, True)
        study.tell(trial.number, state=states.FAIL)


def work(folder: str) -> None:
    """What one of several processes does: trials of the sweep in a folder, until there are enough."""
    place = Path(folder)
    plan = open_plan(place)
    assert plan is not None
    data = load(plan.data, plan.options)
    run_trials(place, plan, data, open_study(place, plan), lambda *said: None, several=True)


def _number(study: Any, trial: Any) -> int:
    """Which one a trial is."""
    if NUMBER in trial.user_attrs:
        return int(trial.user_attrs[NUMBER])
    before = study.get_trials(deepcopy=False)[: trial.number]
    return sum(not each.user_attrs.get(AGAIN) for each in before)


def _waiting(study: Any) -> bool:
    return bool(study.get_trials(deepcopy=False, states=(_states().WAITING,)))


def _sampler(plan: SweepPlan, number: int, several: bool) -> Any:
    """Chooses for one trial: its chance comes from the seed of the sweep and the number of the trial alone."""
    optuna = need_optuna()
    return optuna.samplers.TPESampler(
        seed=(_LARGE * plan.seed + number) % 2**32, n_startup_trials=min(10, max(3, plan.trials // 3)),
        constant_liar=several,
    )  # fmt: skip


def _states() -> Any:
    return need_optuna().trial.TrialState
