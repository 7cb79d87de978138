"""What every task works on: a trained model, and what is known of where it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from plausible.core.choices import Device, Which
from plausible.core.device import resolve_device
from plausible.core.errors import UsageError
from plausible.core.finding import Finding, Severity
from plausible.core.model import Generative, Model
from plausible.core.space import Batch
from plausible.data.labels import class_number
from plausible.data.load import load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data
from plausible.models.per_class import PerClass
from plausible.runs import Run
from plausible.runs.whereabouts import Request


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model in evaluation mode, its run if it has one, and its data.

    run       the folder it is kept in; None for a model in memory.
    findings  what was noticed while it trained.
    seconds   how long that took; 0 where nobody knows.
    finished  whether its budget was spent.
    """

    model: Model
    run: Run | None = None
    findings: Sequence[Finding] = ()
    seconds: float = 0.0
    finished: bool = True
    _data: Data | None = None

    def __repr__(self) -> str:
        took = f", trained for {self.seconds:,.0f} s" if self.seconds else ""
        kept = f", kept in {self.run.folder}" if self.run is not None else ""
        wrong = [found.phenomenon for found in self.findings if found.severity is Severity.FAILURE]
        return f"Trained {self.model.name}{took}{kept}" + f"; wrong: {', '.join(wrong)}" * bool(
            wrong
        )

    @property
    def data(self) -> Data:
        """What it learned from; UsageError for a model in memory whose data nobody gave."""
        return self.data_for("evaluate")

    def data_for(self, request: Request) -> Data:
        """The same, with the sentence that fits what they are asked for where they are gone."""
        if self._data is not None:
            return self._data
        if self.run is None:
            raise UsageError(f"this {self.model.name} is not kept in a run: give its data")
        data = self.run.data(request=request)
        object.__setattr__(self, "_data", data)
        return data

    @property
    def options(self) -> Options:
        """How its data were shaped."""
        if self._data is not None:
            return self._data.options
        return DEFAULTS if self.run is None else self.run.options

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the labels, in their order; empty without labels."""
        if self.run is not None:
            return self.run.class_names or _numbers(self.run.space.classes)
        names = () if self._data is None else self._data.class_names
        return names or _numbers(self.model.space.classes)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the coordinates of vectors, in their order; empty where the data have none."""
        kept = () if self.run is None else self.run.columns
        return kept or (() if self._data is None else self._data.columns)

    @property
    def label_column(self) -> str | None:
        """What the data call the column of their classes."""
        kept = None if self.run is None else self.run.label_column
        return kept or (None if self._data is None else self._data.label_column)

    def log(self) -> Any:
        """The log of its training, see ``Run.log``.  UsageError for a model that is kept in no run."""
        return self._kept().log()

    def measures(self) -> Any:
        """What was measured when it was judged, see ``Run.measures``.  UsageError as for ``log``."""
        return self._kept().measures()

    def sample(self, n: int = 64, label: str | int | None = None, seed: int = 0) -> Batch:
        """n draws, of one class by name or number, or of all: x (n, *shape) on the CPU."""
        if not isinstance(self.model, Generative):
            raise UsageError(f"{self.described}, p(y | x), which has no samples to draw")
        generator = torch.Generator().manual_seed(seed)
        return self.model.sample(n, self.label(label), generator=generator).to("cpu")

    def _kept(self) -> Run:
        if self.run is None:
            raise UsageError(f"this {self.model.name} is kept in no run: give fit a folder as out")
        return self.run

    @property
    def described(self) -> str:
        """Who it is, in words for a sentence: "runs/a is a vae", or "this is one mixture for each class"."""
        who = "this" if self.run is None else str(self.run.folder)
        return f"{who} is {described(self.model)}"

    def label(self, name: str | int | None) -> int | None:
        """A class by name -> its number, or by number where the names are words; None stays.

        UsageError with the choices: so also for 0 of classes 1, 2, 3, which would mean another by its place.
        """
        who = "this model" if self.run is None else str(self.run.folder)
        return class_number(name, self.class_names, who)


TrainedLike = Trained | Model | Run | str | Path
"""A run or its folder, a model in memory, or what ``fit`` returned."""


def open_trained(
    source: TrainedLike,
    data: Data | str | Path | None = None,
    *,
    device: Device | torch.device = "auto",
    weights: Which = "best",
    request: Request = "evaluate",
) -> Trained:
    """Whatever a task is asked about, opened.

    data     of a model in memory, for the tasks that need them; a run knows its own, and is told here where
             they are now, if that is not where they were.
    weights  the best of a run, by what was probed while it trained, or the last.
    request  what the data are asked for, for the sentence where they are not those of the run.
    Raises UsageError for a folder that is no run, or holds nothing yet, or data that are not those of the run.
    """
    if not isinstance(source, Trained | Model | Run | str | Path):
        raise UsageError(f"a run, its folder or a model is needed, not a {type(source).__name__}")
    if isinstance(source, str | Path):
        source = Run(source)
    loaded = _loaded(source, data, request)
    run = source.run if isinstance(source, Trained) else None
    if weights != "best" and isinstance(source, Trained | Model) and run is None:
        raise UsageError("a model in memory has one set of weights: the last are those of a run")
    if isinstance(source, Trained) and weights == "best":
        return source if loaded is None else replace(source, _data=loaded)
    if isinstance(source, Model):
        return Trained(source, _data=loaded)
    if isinstance(source, Trained):  # whose run knows its last weights, too
        model = (
            source.run.model(source.model.offset.device, weights) if source.run else source.model
        )
        return replace(source, model=model, _data=loaded or source._data)
    return Trained(source.model(resolve_device(device), weights), source, _data=loaded)


def _loaded(
    source: Trained | Model | Run, data: Data | str | Path | None, request: Request
) -> Data | None:
    """The data that were given for it, read and shaped as it needs them; of a run none but its own."""
    if data is None:
        return None
    run = source.run if isinstance(source, Trained) else source if isinstance(source, Run) else None
    if run is not None:
        if isinstance(data, Data):
            return run.check_data(data, request=request)
        return run.data(str(data), request)
    options = source.options if isinstance(source, Trained) else DEFAULTS
    return data if isinstance(data, Data) else load(str(data), options)


def described(model: Model) -> str:
    """A model in words: "a vae", or "one vae for each class"."""
    return f"one {model.name} for each class" if isinstance(model, PerClass) else f"a {model.name}"


def _numbers(classes: int) -> tuple[str, ...]:
    return tuple(str(k) for k in range(classes))
