"""Why a class is named: what each class makes of an input, and how soon it is known when the input is uncovered."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plausible.core.choices import Device
from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.part import Data
from plausible.recognition.explanation import Explanation, Legend, explanations
from plausible.recognition.prior_shift import log_prior_of
from plausible.recognition.uncovering import Uncovered, stopped, uncovering
from plausible.tasks.calibrate import calibrated
from plausible.tasks.classify import Classification, classify
from plausible.tasks.inputs import InputLike, PerInput, as_inputs
from plausible.tasks.trained import TrainedLike, open_trained


@dataclass(frozen=True)
class Explanations(PerInput[Explanation]):
    """An explanation of each input, in their order.

    class_names  of the labels.
    legend       in words, what is shown.
    space        where the inputs live, and ``columns`` the names of its coordinates, where they have some.
    """

    class_names: tuple[str, ...]
    legend: Legend
    space: Space
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Uncoverings(PerInput[Uncovered]):
    """How each input is recognised as it is uncovered.

    class_names  of the labels.
    until        how sure a class was to be.
    step         what is uncovered one by one: "row" or "column".
    """

    class_names: tuple[str, ...]
    until: float
    step: str


def explain(
    source: TrainedLike,
    inputs: InputLike,
    data: Data | str | Path | None = None,
    *,
    classes: int = 5,
    said: Classification | None = None,
    draws: int | None = None,
    optimise_posterior: int = 0,
    seed: int = 0,
    device: Device = "auto",
) -> Explanations:
    """Of each input: log p(x | y) of its most probable ``classes``, what each makes of it, which coordinates decide.

    said  what ``classify`` said of these inputs, where it was asked already, with the same draws and seed; by default it is
          asked here.
    The rest is that of ``calibrated``.
    Raises UsageError for a model without p(x | y).
    """
    trained = open_trained(source, data, device=device, request="score")
    points = as_inputs(inputs, trained)
    asked: dict[str, Any] = {
        "draws": draws, "optimise_posterior": optimise_posterior, "seed": seed, "device": device,
    }  # fmt: skip
    said = said or classify(trained, points, **asked)
    if len(said) != len(points.names):
        raise UsageError(
            f"there are {len(points.names):,} inputs, and answers to {len(said):,} were given"
        )
    recogniser = calibrated(trained, **asked)
    x = points.part.as_batch().x
    made, legend = explanations(recogniser, x, said.rows, classes)
    space, columns = trained.model.space, tuple(trained.columns)
    return Explanations(made, said.notes, said.class_names, legend, space, columns)


def uncover(
    source: TrainedLike,
    inputs: InputLike,
    *,
    until: float = 0.99,
    prior: Sequence[float] | None = None,
    device: Device = "auto",
) -> Uncoverings:
    """p(y | the first rows of x) of each input, exact by its model, and after which row a class is as sure as ``until``.

    prior  p(y), shares or counts in the order of the classes; by default as the training part had it.
    Not calibrated: a temperature would make it another model's.
    Raises UsageError for a model that does not say x coordinate by coordinate in their order.
    """
    trained = open_trained(source, device=device)
    points = as_inputs(inputs, trained)
    names = trained.class_names
    log_prior = None if prior is None else log_prior_of(prior, names)
    log_posterior = uncovering(trained.model, points.part.as_batch().x, log_prior)
    found = stopped(points.names, log_posterior, until)
    step = "row" if trained.model.space.is_image else "column"
    return Uncoverings(found, points.notes, names, until, step)
