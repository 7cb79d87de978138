"""What a task is asked about: files, arrays or points, brought to the space that the model knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeVar, overload

import numpy as np
import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.core.space import Batch, Space
from plausible.data.inputs import Inputs, read_inputs
from plausible.data.part import Part
from plausible.data.source import ITEM
from plausible.tasks.trained import Trained

T = TypeVar("T")
InputLike = str | Path | Sequence[str | Path] | Tensor | np.ndarray | Batch | Part | Inputs
"""Paths of files and folders, items of the data ("heldout:3"), or points x (N, *shape) in the units of the data."""


@dataclass(frozen=True)
class PerInput(Sequence[T]):
    """What is said of each input, in their order.

    notes  sentences for people: what was done to the inputs, and what so few calibration data cannot say.
    """

    rows: tuple[T, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self.rows[index]


def as_inputs(inputs: InputLike, trained: Trained) -> Inputs:
    """Points of the space of a model, each with a name, and notes on what was done to them.

    Files are prepared as the data that it learned from, columns of a table matched by name; "heldout:3" and
    "train:0-7" are items of these data, which must then be there; points must lie in the space: images in [0, 1],
    rounded to the levels, or vectors.
    Raises UsageError for a path that cannot be read, or points of another shape.
    """
    space = trained.model.space
    if isinstance(inputs, Inputs):
        return inputs
    if isinstance(inputs, Part):
        return Inputs(as_points(inputs, space), _names(len(inputs)), ())
    if isinstance(inputs, Batch | Tensor | np.ndarray):
        x = torch.as_tensor(inputs.x if isinstance(inputs, Batch) else inputs).float().cpu()
        if x.shape == space.shape:
            x = x[None]  # one point: (*shape) -> (1, *shape)
        return Inputs(as_points(Batch(x), space), _names(len(x)), ())
    paths = [inputs] if isinstance(inputs, str | Path) else inputs
    groups = groupby(map(str, paths), key=lambda path: ITEM.fullmatch(path) is not None)
    parts = [
        _items(list(few), trained) if own else _files(list(few), trained) for own, few in groups
    ]
    if len(parts) == 1:
        return parts[0]
    return Inputs(
        Part(torch.cat([found.part.values for found in parts]), None, space),
        tuple(name for found in parts for name in found.names),
        tuple(dict.fromkeys(note for found in parts for note in found.notes)),
    )


def _files(paths: list[str], trained: Trained) -> Inputs:
    space, options = trained.model.space, trained.options
    return read_inputs(paths, space, options, trained.columns, trained.label_column)


def _items(places: list[str], trained: Trained) -> Inputs:
    """Items of the data of a run, each by its part and number; UsageError where they are gone or there is none."""
    try:
        data = trained.data_for("inputs")
    except UsageError as reason:
        raise UsageError(f"{places[0]} is an item of its data, and {reason}") from reason
    values, names = [], list[str]()
    for place in places:
        found = ITEM.fullmatch(place)
        assert found is not None
        part, first, last = getattr(data, found[1]), int(found[2]), int(found[3] or found[2])
        if not first <= last < len(part):
            raise UsageError(
                f"{place} is none of 0 to {len(part) - 1:,}, the items of that part of the data"
            )
        values.append(part.rows(slice(first, last + 1)).to("cpu").frozen(0).values)
        names += [f"{found[1]}:{k}" for k in range(first, last + 1)]
    return Inputs(Part(torch.cat(values), None, trained.model.space), tuple(names), ())


def as_points(points: Batch | Part, space: Space) -> Part:
    """Points x (N, *shape) in the units of the data, as a part of the space on the CPU.

    Raises UsageError where they cannot be points of it.
    """
    x = points.x if isinstance(points, Batch) else points.values
    if x.shape[1:] != space.shape:
        raise UsageError(
            f"samples of shape {tuple(x.shape[1:])} cannot be compared with data of shape {space.shape}"
        )
    if not x.isfinite().all():
        raise UsageError("some samples are NaN or infinite, so nothing can be said about them")
    if isinstance(points, Part):
        return points.to("cpu")
    if space.levels and len(x):
        low, high = (float(v) for v in x.aminmax())
        if not 0 <= low <= high <= 1:
            raise UsageError(
                f"a Batch of images holds pixels from 0 to 1, and these are {low:g} to {high:g}"
            )
    batch = points.to("cpu")
    return Part(space.codes(batch.x) if space.levels else batch.x, batch.y, space)


def _names(n: int) -> tuple[str, ...]:
    return tuple(f"[{row}]" for row in range(n))
