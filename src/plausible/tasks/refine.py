"""A trained model, improved by a game, and what that cost: a run of its own beside its start."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from plausible.core.choices import Device, OnFailure
from plausible.core.device import resolve_device
from plausible.core.errors import UsageError
from plausible.core.finding import Finding
from plausible.core.refinement import RefinementConfig
from plausible.data.part import Data
from plausible.models.refined.objectives import config_refined, objective_for
from plausible.runs import Run, build, create, default_folder
from plausible.runs.decoder import of_caller
from plausible.runs.go_on import go_on
from plausible.tasks.before_after import BeforeAfter, before_after
from plausible.tasks.eyes import StageProgress
from plausible.tasks.fit import played
from plausible.tasks.trained import Trained, described
from plausible.training import Settings, Step, Training, train
from plausible.training.distributed import World


@dataclass(frozen=True, eq=False)
class Refinement:
    """A refined model, and what became of it.

    trained    the model, of the family of its start.
    objective  the game that it played.
    measured   the start and the refined beside each other; None where nobody asked.
    """

    trained: Trained
    objective: str
    measured: BeforeAfter | None


def refine(
    start: Run | str | Path,
    *,
    out: str | Path,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    data: Data | str | Path | None = None,
    evaluate: bool = True,
    n: int = 5000,
    watch: bool = True,
    on_failure: OnFailure = "rollback",
    device: Device = "auto",
    on_step: Callable[[Step], None] = lambda step: None,
    on_finding: Callable[[Finding], None] = lambda finding: None,
    progress: StageProgress | None = None,
    **choices: Any,
) -> Refinement:
    """Go on with the model of a run by a game: what ``plausible refine RUN`` does, without a word.

    out       the folder of the new run, new or empty.
    steps, minutes  the budget of the game alone; with neither a quarter of what suits the family.
    data      the data of the start, or where they are now, if that is not where they were.
    evaluate  judge both, by the same held-out data, by n samples at most, and seed 0.
    choices   fields of ``RefinementConfig``, as the flags of the command line.
    Raises UsageError for a model that no game suits, and ``Failed`` as ``fit`` does.
    """
    run, training = begin_refining(
        start, RefinementConfig(**choices), settings=Settings(steps, minutes, seed), out=out,
        data=data, device=device,
    )  # fmt: skip
    trained = played(run, training, True, watch, on_failure, on_step, on_finding)
    assert run.refinement is not None
    assert run.refinement.objective is not None
    found = before_after(run, start, training.data, n=n, progress=progress) if evaluate else None
    alone = replace(trained, model=run.model(training.device))
    return Refinement(alone, run.refinement.objective, found)


def begin_refining(
    start: Run | str | Path,
    refinement: RefinementConfig,
    *,
    settings: Settings,
    out: str | Path | None = None,
    data: Data | str | Path | None = None,
    device: Device = "auto",
    world: World | None = None,
) -> tuple[Run, Training[Any]]:
    """The run of a refinement, with nothing learned yet; what cannot be refined is refused (UsageError)."""
    start = start if isinstance(start, Run) else Run(start)
    where, model = resolve_device(device), start.model()
    who = f"{start.folder} is {described(model)}"
    if start.per_class:
        raise UsageError(f"{who}, and a game is played by a single model: train one with --conditional")  # fmt: skip
    refinement = objective_for(who, model, refinement)
    if isinstance(data, Data):
        learned = start.check_data(data, request="resume")
    else:
        learned = start.data(None if data is None else str(data), "resume")
    config = config_refined(start.model_config, refinement)
    built = build(
        start.kind.name, config, start.space, settings.seed,
        networks=copy.deepcopy(start.networks), learns=True, refinement=refinement,
    ).to(where)  # fmt: skip
    training = train(built, learned.to(where), settings, world=world)
    begun = go_on(training, start)
    folder = Path(out) if out is not None else default_folder(f"{built.name}-refined", learned.name)
    run = create(folder, training, start=begun) if training.world.leads else Run(folder)
    run.networks = of_caller(built.own_networks)
    return run, training
