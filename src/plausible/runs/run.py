"""A run is a folder: the only place where a model, its data and the loop meet.

    config.json          what was asked for: model, data with hashes and what was decided about them, budget, seed
    weights.safetensors  the weights its methods use: the best (averaged where the model averages)
    last.safetensors     those at the last save
    state.pt             all that training needs to go on exactly: tensors and numbers, no code
    log.jsonl            one line every few rounds, and what the probes said
    findings.json        what is wrong, and what to do
    calibration.safetensors  what the model says of validation and held-out data, by which it answers without them
    samples.png          a picture
    measures.json        what was measured at the end, and the verdict
    neighbours.png, spectrum.png, walks.png   pictures of the evaluation

Every file is written beside its place, flushed to the disk and renamed, so a killed process leaves
the old file or the new one and never half of one.
"""

import io
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import safetensors
import safetensors.torch
import torch
from torch import Tensor

import plausible.models  # noqa: F401  # fills the registry
from plausible.core.choices import Which
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Model, models
from plausible.core.space import Space
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.part import Data
from plausible.data.source import NAMES
from plausible.models.per_class import PerClass
from plausible.runs.files import write
from plausible.runs.log import read_log
from plausible.training import Settings, Training, train
from plausible.training.distributed import World

M = TypeVar("M", bound=Model)


class Weights(NamedTuple):
    """Weights by name, and the number of steps that made them."""

    weights: Mapping[str, Tensor]
    steps: int


def build(
    name: str, config: Model.Config, space: Space, seed: int, per_class: bool = False
) -> Model:
    """A new model by name, or one for each class, its first weights drawn from ``seed``."""
    torch.manual_seed(seed)
    if per_class:
        if not issubclass(models[name], Explicit):
            raise UsageError(
                f"--per-class needs a model that says how probable x is, and a {name} does not"
            )
        return PerClass(space, lambda single: models[name](single, config))
    return models[name](space, config)


class Run:
    """One folder, read when asked."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)

    @cached_property
    def config(self) -> dict[str, Any]:
        """config.json; UsageError when it is missing or unreadable."""
        path = self.folder / "config.json"
        if not path.exists():
            raise UsageError(f"{self.folder} is not a run: it holds no config.json")
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from error

    @property
    def space(self) -> Space:
        """Where the model lives."""
        return Space.from_dict(self.config["space"])

    @property
    def settings(self) -> Settings:
        """How it is trained."""
        return Settings(**self.config["training"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the labels, empty when there are none."""
        return tuple(self.config["data"]["class_names"])

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the coordinates, empty where the data had none (or the run is of before they were kept)."""
        return tuple(self.config["data"].get("columns", ()))

    @property
    def label_column(self) -> str | None:
        """What the data call the column of their classes."""
        return self.config["data"].get("label_column")

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided about the data when it began to learn."""
        return tuple(self.config["data"].get("notes", ()))

    @property
    def options(self) -> Options:
        """How its data were shaped."""
        return Options(**self.config["data"]["options"])

    def fresh(self) -> Model:
        """The model as it was before its first update."""
        kind = models[self.config["model"]]
        values: dict[str, Any] = self.config["config"]
        chosen: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        apart = self.config.get("per_class", False)
        name, seed = self.config["model"], self.settings.seed
        return build(name, kind.Config(**chosen), self.space, seed, apart)

    def steps(self, which: Which = "best") -> int | None:
        """After how many steps these weights were kept; None where nobody noted it."""
        path = self._weights(which)
        with safetensors.safe_open(path, "pt") as file:
            return int(known["steps"]) if (known := file.metadata()) else None

    def _weights(self, which: Which) -> Path:
        last = self.folder / "last.safetensors"
        return last if which == "last" and last.exists() else self.folder / "weights.safetensors"

    def model(self, device: torch.device | str = "cpu", which: Which = "best") -> Model:
        """The trained model, in evaluation mode, with the weights its capabilities use: the best, or the last."""
        return self.with_weights(self.fresh(), which).to(device).eval()

    def with_weights(self, model: M, which: Which = "best") -> M:
        """The same model with the weights of this run; UsageError where they are none of it."""
        path = self._weights(which)
        if not path.exists():
            raise UsageError(f"{self.folder} holds no weights.safetensors yet: nothing was saved")
        try:
            model.load_state_dict(safetensors.torch.load_file(path))
        except Exception as error:
            raise UsageError(f"{path} does not hold the weights of this run: {error}") from error
        return model

    @property
    def hashes(self) -> dict[str, str]:
        """{part: sha256} of the data it learns from."""
        return dict(self.config["data"]["hashes"])

    def data(self, source: str | None = None) -> Data:
        """The data it learns from, read from where they were, or from ``source``, where they are now.

        UsageError: they are not there, or not what they were.
        """
        place = source or self.config["data"]["source"]
        if not place:
            raise UsageError(f"{self.folder} learned from arrays in memory: give its data")
        if source is None and place not in NAMES and not Path(place).exists():
            raise UsageError(
                f"the data of {self.folder} are no longer at {place}: say where they are with --data PATH"
            )
        return self.check_data(load(place, self.options), place)

    def check_data(self, data: Data, place: str = "the data given") -> Data:
        """The same data; UsageError where they are not those it learns from."""
        names = {"train": "training", "validation": "validation", "heldout": "held-out"}
        changed = [names[part] for part, kept in self.hashes.items() if data.hashes[part] != kept]
        if not changed:
            return data
        *others, last = changed
        parts = f"{', '.join(others)} and {last} parts" if others else f"{last} part"
        calibrated = (self.folder / "calibration.safetensors").exists()
        raise UsageError(
            f"the {parts} of {place} have changed since {self.folder} was trained: give the data as they were "
            f"(--data PATH), or judge its samples beside any others (plausible evaluate --samples)"
            f"{'; score and classify do without them, unless asked in an unusual way' * calibrated}"
        )

    def write(self, name: str, content: bytes | str) -> Path:
        """Write one file of the run, atomically."""
        return write(self.folder / name, content)


def default_folder(model: str, data: str) -> Path:
    """runs/<model>-<data>-<time>, with a number behind it if that is taken."""
    stem = Path("runs") / f"{model}-{data}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (stem.with_name(f"{stem.name}-{i}") if i else stem for i in range(1000))
    return next(name for name in names if not name.exists())


def create(folder: Path | str, training: Training[Any]) -> Run:
    """Make the folder of a new run and write its config.json; UsageError if the folder exists."""
    folder = Path(folder)
    model, data = training.raw, training.data
    config = {
        "model": model.name,
        "per_class": isinstance(model, PerClass),
        "config": asdict(model.config),
        "space": model.space.to_dict(),
        "data": {
            "name": data.name,
            "source": data.source,
            "options": asdict(data.options),
            "hashes": data.hashes,
            "class_names": list(data.class_names),
            "columns": list(data.columns),
            "label_column": data.label_column,
            "notes": list(data.notes),
        },
        "training": asdict(training.settings),
        "processes": training.world.size,
    }
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise UsageError(
            f"{folder} exists, and a run is never overwritten: choose another"
        ) from None
    except OSError as error:
        raise UsageError(f"{folder} cannot be created: {error.strerror}") from error
    run = Run(folder)
    run.write("config.json", json.dumps(config, indent=2) + "\n")
    return run


def save(
    run: Run, training: Training[Any], best: Weights | None = None, *, keep: bool = False
) -> None:
    """Write weights and state; every rank calls it and rank 0 writes.

    best  weights that its methods shall use, if they are not the last.
    keep  without ``best`` those of an earlier session stay the best, if there are any.
    """
    state = training.state_dict()
    if not training.world.leads:
        return
    buffer = io.BytesIO()
    torch.save(state, buffer)
    run.write("state.pt", buffer.getvalue())
    last = _packed(state["averaged"], state["steps"])
    kept = run.folder / "weights.safetensors"
    if best is not None:
        run.write(kept.name, _packed(best.weights, best.steps))
        run.write("last.safetensors", last)
    elif keep and (run.folder / "last.safetensors").exists():
        run.write("last.safetensors", last)
    else:
        run.write(kept.name, last)
        (run.folder / "last.safetensors").unlink(missing_ok=True)


def _packed(weights: Mapping[str, Tensor], steps: int) -> bytes:
    """Weights and the number of steps that made them, as safetensors."""
    whole = {name: tensor.contiguous() for name, tensor in weights.items()}
    return safetensors.torch.save(whole, {"steps": str(steps)})


def resume(
    run: Run,
    settings: Settings,
    device: torch.device | str = "cpu",
    world: World | None = None,
    data: str | None = None,
) -> Training[Model]:
    """The training of a saved run at the round it was saved, under new or the same settings.

    data  where its data are now, if that is not where they were.
    """
    path = run.folder / "state.pt"
    if not path.exists():
        raise UsageError(f"{run.folder} holds no state.pt: nothing was saved to resume from")
    training = train(run.fresh().to(device), run.data(data).to(device), settings, world=world)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    training.load_state_dict(state)
    if training.world.leads:
        run.write("config.json", json.dumps({**run.config, "training": asdict(settings)}, indent=2))
        cut_log(run, state["steps"])
    return training


def cut_log(run: Run, steps: int) -> None:
    """Drop the lines of rounds that were played after the save and will be played again."""
    path = run.folder / "log.jsonl"
    if path.exists():
        kept = [raw for raw, line in read_log(path) if line["step"] < steps]
        write(path, "".join(kept))
