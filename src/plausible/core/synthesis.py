"""What each class makes of an x, and what each coordinate of x says for it: by which a classifier shows why."""

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Generator, Tensor

from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Model


@dataclass(frozen=True)
class Synthesis:
    """What a model makes of inputs under their labels.

    x      (N, *shape) in data units, off the grid.
    words  what that is, in words.
    """

    x: Tensor
    words: str


@dataclass(frozen=True)
class CoordinateNats:
    """What each coordinate adds to log p(x | y).

    nats      (N, *shape).
    words     what the sum of them is, in words.
    in_order  whether each is log p(x_i | x_<i, y) in raster order, so that the first k of them are log p(x_<=k | y), exactly.
    """

    nats: Tensor
    words: str
    in_order: bool = False


@runtime_checkable
class Synthesiser(Protocol):
    """Makes of an x what it would be if it were of a class: analysis by synthesis."""

    def synthesis(
        self, x: Tensor, y: Tensor | None, generator: Generator | None
    ) -> Synthesis | None:
        """Of x in the units of ``_log_prob`` and labels (N,) where the model is; None where a part of it has no way to."""
        ...


@runtime_checkable
class CoordinateWise(Protocol):
    """Says log p as a sum over the coordinates of x."""

    def coordinate_nats(self, x: Tensor, y: Tensor | None) -> CoordinateNats | None:
        """Of x in the units of ``_log_prob`` and labels (N,) where the model is; None where a part of it cannot."""
        ...


@torch.no_grad()
def synthesis_of(
    model: Model, x: Tensor, y: Tensor | None, generator: Generator | None = None
) -> Synthesis | None:
    """What a model makes of x (N, *shape) in data units under labels y (N,); None of a family that makes nothing of it.

    Noise, where there is any, is drawn from the generator.
    """
    if not isinstance(model, Synthesiser) or not isinstance(model, Explicit):
        return None
    with model.evaluating():
        return model.synthesis(*_as_scored(model, x, y), generator)


@torch.no_grad()
def coordinate_nats_of(model: Model, x: Tensor, y: Tensor | None) -> CoordinateNats | None:
    """What each coordinate of x (N, *shape) in data units adds to log p under labels y (N,); None where there is no such sum."""
    if not isinstance(model, CoordinateWise) or not isinstance(model, Explicit):
        return None
    with model.evaluating():
        said = model.coordinate_nats(*_as_scored(model, x, y))
    if said is None or model.space.levels:
        return said
    return replace(said, nats=said.nats - model.scale.log())  # (N, D), in data units


def _as_scored(model: Explicit, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
    if x.shape[1:] != model.space.shape:
        raise UsageError(
            f"x of {model.space} has shape (N, *{model.space.shape}), not {tuple(x.shape)}"
        )
    device = model.offset.device
    x = x.to(device)
    labels = y.to(device) if y is not None and model.conditional else None
    return x if model.space.levels else model.standardise(x), labels
