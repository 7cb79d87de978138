"""Samples that another program drew, read as points of the space of the data they imitate."""

import numpy as np
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.folder import Progress
from plausible.data.load import read
from plausible.data.options import DEFAULTS, Options, resolve_source
from plausible.data.part import Part
from plausible.data.quantise import draw, requantise


def samples(
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
    path = resolve_source(source)
    if path is None:
        raise UsageError(
            f"{source} is a data set and not a file or folder of samples; use ./{source}"
        )
    raw = read(path, _wanted(space, options), progress)
    if len(raw.values) < 2:
        raise UsageError(f"{source} holds {len(raw.values)} samples; at least 2 are needed")
    shape = raw.values.shape[1:]
    sizes = list(raw.sizes)  # as stored, because a folder brings all images to one size
    if shape != space.shape or (space.is_image and sizes != [_size(shape)]):
        raise UsageError(
            f"{source} holds {_say(shape, sizes)} and the data {_say(space.shape)}: samples must "
            f"have the shape of the data{'; --size N changes that of the data' * space.is_image}"
        )
    notes = list(raw.notes)
    values = levelled(raw.values, raw.levels, space, options, notes)
    y = None if raw.labels is None else _labels(raw.labels, class_names, notes)
    part = Part(torch.from_numpy(np.ascontiguousarray(values)), y, space)
    return part, notes


def levelled(
    values: np.ndarray, levels: int | None, space: Space, options: Options, notes: list[str]
) -> np.ndarray:
    """Codes of so many levels as codes of the space; vectors as they are."""
    if not levels or not space.levels or levels == space.levels:
        return values
    if options.binarise in ("static", "dynamic"):
        notes.append("each pixel is drawn once, 1 with its grey value as probability")
        return draw(values, levels)
    notes.append(f"{levels} grey levels are rounded to the {space.levels} of the data")
    return requantise(values, levels, space.levels)


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


def _wanted(space: Space, options: Options) -> Options:
    """How a folder of images is read so that nothing is resized that need not be."""
    if not space.is_image:
        return Options(background=options.background)
    channels, height, width = space.shape
    return Options(
        size=height if height == width else None,
        channels=channels if channels in (1, 3, 4) else None,  # type: ignore[arg-type]
        background=options.background,
    )


def _say(shape: tuple[int, ...], sizes: list[str] | None = None) -> str:
    if len(shape) != 3:
        return f"vectors of length {shape[0]}"
    sizes = sizes or [_size(shape)]
    listed = ", ".join(sizes[:3]) + ", ..." * (len(sizes) > 3)
    return f"images of {listed} pixels with {shape[0]} channel{'s' * (shape[0] != 1)}"


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[2]}x{shape[1]}"
