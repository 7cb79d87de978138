"""Samples that another program drew, read as points of the space of the data they imitate."""

import numpy as np
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.arrays import describe_shape
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Part
from plausible.data.quantise import match_levels
from plausible.data.readers import Progress, read
from plausible.data.source import resolve_files


def read_samples(
    source: str,
    space: Space,
    class_names: tuple[str, ...] = (),
    options: Options = DEFAULTS,
    progress: Progress | None = None,
) -> tuple[Part, list[str]]:
    """The points of a file or folder as a part of ``space``, and notes on what was done to them.

    Any format that data come in.  Grey levels are rounded to those of the space; labels, where there
    are any, must be numbers or names of its classes and are otherwise left out with a note.
    UsageError: another shape than the space has (nothing is resized), fewer than 2 points.
    """
    raw = read(resolve_files(source, "samples"), _unresized(space, options), progress)
    if len(raw.values) < 2:
        raise UsageError(f"{source} holds {len(raw.values)} samples; at least 2 are needed")
    shape = raw.values.shape[1:]
    sizes = list(raw.sizes)  # as stored, because a folder brings all images to one size
    if shape != space.shape or (space.is_image and sizes != [f"{shape[2]}x{shape[1]}"]):
        raise UsageError(
            f"{source} holds {describe_shape(shape, sizes)} and the data {describe_shape(space.shape)}: "
            f"samples must have the shape of the data"
            f"{'; --size N changes that of the data' * space.is_image}"
        )
    notes = list(raw.notes)
    values = match_levels(raw.values, raw.levels, space, options, notes)
    y = None if raw.labels is None else _labels(raw.labels, class_names, notes)
    part = Part(torch.from_numpy(np.ascontiguousarray(values)), y, space)
    return part, notes


def _labels(
    labels: np.ndarray, class_names: tuple[str, ...], notes: list[str]
) -> torch.Tensor | None:
    """(N,) int64 classes of the data, or None with a note when some are unknown there."""
    if labels.dtype.kind == "f" and bool((labels == np.rint(labels)).all()):
        labels = labels.astype(np.int64)
    places = {name: k for k, name in enumerate(class_names)}
    found = [places.get(str(label), -1) for label in labels.tolist()]
    if class_names and min(found) >= 0:
        return torch.tensor(found)
    if class_names:
        notes.append("the labels of the samples are not those of the data, so they are not used")
    return None


def _unresized(space: Space, options: Options) -> Options:
    """How a folder of images is read so that nothing is resized that need not be."""
    if not space.is_image:
        return Options(background=options.background)
    channels, height, width = space.shape
    return Options(
        size=height if height == width else None,
        channels=channels if channels in (1, 3, 4) else None,  # type: ignore[arg-type]
        background=options.background,
    )
