"""Inputs to answer questions about: files and folders brought to the space that a model knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.arrays import describe_shape
from plausible.data.columns import column_order, read_like
from plausible.data.image_files import ImageFiles, decode, read_headers
from plausible.data.images import MODES
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Part
from plausible.data.quantise import match_levels
from plausible.data.readers import Progress, in_words, readers
from plausible.data.readers.image_folder import image_files
from plausible.data.source import resolve_files


@dataclass(frozen=True)
class Inputs:
    """Points of a space, each with the name of where it came from, and notes on what was done."""

    part: Part
    names: tuple[str, ...]
    notes: tuple[str, ...]


def read_inputs(
    paths: Sequence[str],
    space: Space,
    options: Options = DEFAULTS,
    columns: Sequence[str] = (),
    label_column: str | None = None,
    progress: Progress | None = None,
) -> Inputs:
    """What is in these files and folders, prepared as the data that ``options`` describe were.

    Image files, and those in folders and .zip files, are cropped and resized to the space; arrays (.npy, .npz, IDX)
    and tables (.csv, .tsv) must have its shape, tables these ``columns`` in any order.  Labels in them, in the
    column ``label_column`` of a table, are passed over; progress(done, total) is called while images are read.
    UsageError: a path that does not exist, cannot be read, or holds points of another shape.
    """
    if not paths:
        raise UsageError("give at least one file or folder to look at")
    values: list[np.ndarray] = []
    names: list[str] = []
    notes: list[str] = []
    for source in paths:
        path = resolve_files(source)
        with image_files(path, options, notes) as images:
            if images is not None:
                values.append(_pictures(images, space, options, notes, progress))
                names += [str(images.shown(image)) for image in images.paths]
                continue
        values.append(_array(path, space, options, notes, columns, label_column))
        count = len(values[-1])
        names += [f"{path}[{row}]" for row in range(count)] if count != 1 else [str(path)]
    stacked = torch.from_numpy(np.concatenate(values))
    return Inputs(Part(stacked, None, space), tuple(names), tuple(dict.fromkeys(notes)))


def _pictures(
    files: ImageFiles,
    space: Space,
    options: Options,
    notes: list[str],
    progress: Progress | None,
) -> np.ndarray:
    """Codes (n, C, H, W) of the image files that can be read; the others are dropped, with a note.

    UsageError: more than half cannot be read, so also a single file.
    """
    if not space.is_image or space.shape[0] not in MODES:
        formats = in_words(reader for reader in readers.values() if reader.endings)
        raise UsageError(
            f"{files.shown(files.paths[0])} is an image, and the model knows {describe_shape(space.shape)}: give {formats}"
        )
    channels, height, width = space.shape
    read_headers(files, options.skip_unreadable)
    codes, _ = decode(files, (width, height), channels, options, notes, progress)
    notes += files.notes()
    codes = np.ascontiguousarray(np.moveaxis(codes, 3, 1))  # (n, H, W, C) -> (n, C, H, W)
    return match_levels(codes, 256, space, options, notes)


def _array(
    path: Path,
    space: Space,
    options: Options,
    notes: list[str],
    columns: Sequence[str],
    label_column: str | None,
) -> np.ndarray:
    """Values (n, *shape) of an array or a table; a class column may be there or not."""
    plain = Options(
        background=options.background,
        label=options.label,
        drop=options.drop,
        value_range=options.value_range,
    )
    raw = read_like(path, plain, columns, label_column)
    if not (raw.is_image or space.is_image):
        raw.values = raw.values[:, column_order(raw.columns, columns, str(path), notes)]
    if raw.values.shape[1:] != space.shape:
        found = "x".join(map(str, raw.values.shape[1:]))
        raise UsageError(
            f"{path} holds points of shape {found}, and the model knows {describe_shape(space.shape)}"
        )
    if not len(raw.values):
        raise UsageError(f"{path} holds nothing")
    notes += raw.notes
    return match_levels(raw.values, raw.levels, space, options, notes)
