"""Begin with the weights of another run: more data, or other data, without learning everything anew."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.core.model import Model
from plausible.models.per_class import PerClass
from plausible.runs.run import Run
from plausible.training import Training

# units and class prior, of each class where it has a model, which are those of the new data
_OF_THE_DATA = re.compile(r"(each\.\d+\.)?(offset|scale|log_prior)")
_NAMED = 4  # new weights in a sentence


@dataclass(frozen=True)
class Initial:
    """What a training began with of another run.

    run      its folder.
    taken    numbers in weights that are as they were there, of ``weights`` in all.
    new      the names of the weights that are not, each with its shape here and there.
    """

    run: str
    taken: int
    weights: int
    new: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = (
            f"begins with {self.taken:,} of its {self.weights:,} weights as they are in {self.run}"
        )
        if not self.new:
            return f"{said}; units and class prior are those of the new data"
        more = f", and {len(self.new) - _NAMED} more" * (len(self.new) > _NAMED)
        return f"{said}; new are {', '.join(self.new[:_NAMED])}{more}"


def initial_of(run: Run) -> Initial | None:
    """What a run began with; None where its weights were drawn."""
    kept = run.config["init"]
    return None if kept is None else Initial(**{**kept, "new": tuple(kept["new"])})


def check_family(run: Run, name: str, per_class: bool) -> None:
    """Refuse to begin a model by the weights of a run of another family (UsageError)."""
    there, here = _described(run.config["model"], run.per_class), _described(name, per_class)
    if there != here:
        raise UsageError(
            f"{run.folder} is {there}, and --init takes the weights of a run of the same model: this is {here}"
        )


@torch.no_grad()
def begin_with(training: Training[Any], run: Run) -> Initial:
    """Copy every parameter and buffer of equal name and shape from a run into a training that has not begun.

    Units and class prior stay those of the new data.
    Raises UsageError for a run of another family, a model that is fitted at once, or weights of which none fits.
    """
    model = training.raw
    check_family(run, model.name, isinstance(model, PerClass))
    if not training.weights:
        raise UsageError(
            f"a {model.name} is fitted to all examples at once, from nothing: leave out --init"
        )
    kept = run.weights()
    fitting = [name for name, tensor in model.state_dict().items() if _fits(name, tensor, kept)]
    for copy in (model, training.averaged):
        state = copy.state_dict()
        for name in fitting:
            state[name].copy_(kept[name])
    initial = _compared(model, kept, set(fitting), str(run.folder))
    if not initial.taken:
        raise UsageError(
            f"none of the weights of {run.folder} have the name and shape of weights of this {model.name}: its networks "
            f"or its data are too different"
        )
    return initial


def _fits(name: str, tensor: Tensor, kept: Mapping[str, Tensor]) -> bool:
    of_the_data = _OF_THE_DATA.fullmatch(name) is not None
    return not of_the_data and name in kept and kept[name].shape == tensor.shape


def _compared(model: Model, kept: Mapping[str, Tensor], fitting: set[str], folder: str) -> Initial:
    weights = dict(model.named_parameters())
    new = tuple(
        f"{name} ({_shape(weight)}; there {_shape(kept[name]) if name in kept else 'none'})"
        for name, weight in weights.items()
        if name not in fitting
    )
    taken = sum(weight.numel() for name, weight in weights.items() if name in fitting)
    return Initial(folder, taken, sum(weight.numel() for weight in weights.values()), new)


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


def _described(name: str, per_class: bool) -> str:
    return f"one {name} for each class" if per_class else f"a {name}"
