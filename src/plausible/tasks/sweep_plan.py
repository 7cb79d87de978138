"""What a sweep is told, kept in sweep.json of its folder, so that the same command goes on with it, and its study."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import plausible.models  # noqa: F401  # fills the registry
from plausible.core.choices import Device
from plausible.core.errors import UsageError
from plausible.core.model import Model, models
from plausible.data.options import Options
from plausible.runs.kept_json import read_json
from plausible.tasks.save import save_bytes
from plausible.tasks.search_space import Dimension
from plausible.training import Settings

PLAN, STUDY = "sweep.json", "study.db"
NUMBER, CHOICES, REASON, AGAIN = "number", "choices", "reason", "again"
"""What a study notes of a trial: which one it is, what its model was told, why it failed, and that another goes on with it."""
_MAY_CHANGE = ("trials", "device", "hashes")


@dataclass(frozen=True)
class SweepPlan:
    """Which model is tried, on what, for how long, and what of it is varied.

    config   the choices that stay, {field: value}.
    data     a name or a path; empty where they were given in memory.
    trials   how many.
    steps, minutes  the budget of one trial; with neither what suits the model.
    space    what is varied.
    hashes   {part: sha256} of the data.
    per_class  whether a trial is one model for each class.
    """

    model: str
    config: Mapping[str, Any]
    data: str
    options: Options
    trials: int
    steps: int | None
    minutes: float | None
    seed: int
    space: tuple[Dimension, ...]
    device: Device = "auto"
    hashes: Mapping[str, str] | None = None
    per_class: bool = False

    @property
    def kind(self) -> type[Model]:
        """The class of the model."""
        return models[self.model]

    @property
    def settings(self) -> Settings:
        """How a trial is trained: all with the same seed."""
        return Settings(self.steps, self.minutes, self.seed)

    def chosen(self, choices: Mapping[str, Any]) -> Model.Config:
        """The Config of a trial."""
        lists = {k: tuple(v) if isinstance(v, list) else v for k, v in self.config.items()}
        return self.kind.Config(**{**lists, **choices})

    def save(self, folder: Path) -> None:
        """Write sweep.json."""
        kept = {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "options": asdict(self.options),
            "config": dict(self.config),
            "space": [each.to_dict() for each in self.space],
        }
        save_bytes(folder / PLAN, (json.dumps(kept, indent=1) + "\n").encode())


def open_plan(folder: Path) -> SweepPlan | None:
    """The plan of a sweep that was begun in a folder; None where none was."""
    path = folder / PLAN
    if not path.exists():
        return None
    kept = read_json(path)
    try:
        space = tuple(map(Dimension.from_dict, kept["space"]))
        return SweepPlan(**{**kept, "options": Options(**kept["options"]), "space": space})
    except (TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"{path} is not as it was written: {error}") from error


def check_same(folder: Path, before: SweepPlan, now: SweepPlan) -> None:
    """UsageError: another sweep was begun in this folder; more trials, or another device, are the same one."""
    kept, asked = (json.loads(json.dumps(_plain(plan))) for plan in (before, now))
    for name, value in kept.items():
        if value != asked[name]:
            raise UsageError(
                f"{folder} holds a sweep with {_said(name, value)}, and this is one with {_said(name, asked[name])}: "
                f"choose another --study"
            )
    if before.hashes != now.hashes:
        raise UsageError(f"the data of the sweep in {folder} have changed: choose another --study")


def open_study(folder: Path, plan: SweepPlan) -> Any:
    """The study of optuna in a folder, new or as it was left; the defaults of the model are its first trial."""
    optuna = need_optuna()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warmup = (plan.steps or 0) // 10 if plan.minutes is None else 2
    pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=warmup)
    study = optuna.create_study(
        storage=f"sqlite:///{(folder / STUDY).resolve()}", study_name="sweep", direction="minimize", pruner=pruner,
        load_if_exists=True,
    )  # fmt: skip
    if not study.get_trials(deepcopy=False):
        usual = {each.name: each.default for each in plan.space if _within(each)}
        study.enqueue_trial(usual, user_attrs={NUMBER: 0})
    return study


def need_optuna() -> Any:
    """The package; UsageError where it is not installed."""
    if find_spec("optuna") is None:
        raise UsageError(
            "plausible sweep needs optuna, which is not installed: pip install 'plausible[sweep]'"
        )
    return import_module("optuna")


def _within(each: Dimension) -> bool:
    """Whether the default is one of the values that are tried."""
    if each.default is None:
        return False
    return each.default in each.values if each.values else each.low <= each.default <= each.high


def _plain(plan: SweepPlan) -> dict[str, Any]:
    values = asdict(plan)
    return {name: value for name, value in values.items() if name not in _MAY_CHANGE}


def _said(name: str, value: Any) -> str:
    """A value of a plan in words."""
    if name == "space":
        return "--search " + ",".join(each["name"] for each in value)
    if name == "per_class":
        return "one model for each class" if value else "one model for all classes"
    return f"{name.replace('_', ' ')} {value}" if not isinstance(value, dict) else f"other {name}"
