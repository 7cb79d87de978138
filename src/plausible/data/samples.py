"""Samples that another program drew, read as points of the space of the data they imitate."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.arrays import describe_shape
from plausible.data.columns import column_order, read_like
from plausible.data.labels import encode_labels
from plausible.data.onnx_generator import ENDING, draw_onnx
from plausible.data.options import DEFAULTS, Options, size_of
from plausible.data.part import Part
from plausible.data.quantise import match_levels
from plausible.data.readers import Progress
from plausible.data.resize import fit_images
from plausible.data.source import resolve_files


def read_samples(
    source: str,
    space: Space,
    class_names: tuple[str, ...] = (),
    options: Options = DEFAULTS,
    progress: Progress | None = None,
    columns: Sequence[str] = (),
    label_column: str | None = None,
) -> tuple[Part, list[str]]:
    """The points of a file or folder as a part of ``space``, and notes on what was done to them.

    Any format that data come in, or a generator as ONNX, which draws.  Images are brought to the size and channels that ``options`` ask for, as the
    data were, and are otherwise never resized.  Grey levels are rounded to those of the space; columns of a table are
    matched by name to ``columns``; labels, in the column ``label_column`` or that of ``options``, must be
    names of classes and are otherwise left out with a note.
    UsageError: another shape than the space has, columns missing or unknown,
    fewer than 2 points.
    """
    path = resolve_files(source, "samples")
    if path.suffix.lower() == ENDING:
        raw = draw_onnx(path, options, progress)
    else:
        raw = read_like(path, _as_data(space, options), columns, label_column, progress)
    if raw.is_image and space.is_image:
        fit_images(raw, options)
    notes = list(raw.notes)
    if not (raw.is_image or space.is_image):
        raw.values = raw.values[:, column_order(raw.columns, columns, source, notes)]
    if len(raw.values) < 2:
        raise UsageError(f"{source} holds {len(raw.values)} samples; at least 2 are needed")
    shape = raw.values.shape[1:]
    sizes = list(raw.sizes)  # as stored, because a folder brings all images to one size
    resized = raw.is_image and options.sides is not None
    if shape != space.shape or (
        space.is_image and not resized and sizes != [f"{shape[2]}x{shape[1]}"]
    ):
        kept = [f"{shape[2]}x{shape[1]}"] if resized else sizes
        raise UsageError(
            f"{source} holds {describe_shape(shape, kept)} and the data {describe_shape(space.shape)}: "
            f"samples must have the shape of the data"
            f"{'; --size brings both to one size' * (space.is_image and not resized)}"
        )
    values = match_levels(raw.values, raw.levels, space, options, notes)
    y = None if raw.labels is None else _labels(raw.labels, class_names, notes)
    part = Part(torch.from_numpy(np.ascontiguousarray(values)), y, space)
    return part, notes


def _labels(
    labels: np.ndarray, class_names: tuple[str, ...], notes: list[str]
) -> torch.Tensor | None:
    """(N,) int64 classes of the data, or None with a note when some are unknown there."""
    if not class_names:
        return None
    try:
        y, names = encode_labels(labels, "samples")
    except UsageError:  # fractions, say
        y, names = labels, ("",)
    places = {name: k for k, name in enumerate(class_names)}
    if not set(names) <= set(places):
        notes.append("the labels of the samples are not those of the data, so they are not used")
        return None
    return torch.tensor([places[name] for name in names])[torch.from_numpy(y)]


def _as_data(space: Space, options: Options) -> Options:
    """How a folder of images is read so that all of them have the size of the data."""
    if not space.is_image:
        return replace(options, size=None, channels=None)
    channels, height, width = space.shape
    return replace(
        options,
        size=size_of(width, height),
        channels=channels if channels in (1, 3, 4) else None,  # type: ignore[arg-type]
    )
