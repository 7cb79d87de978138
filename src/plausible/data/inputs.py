"""Inputs to answer questions about: files and folders brought to the space that a model knows."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.arrays import describe_shape
from plausible.data.images import MODES, check_memory, read_pixels
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Part
from plausible.data.quantise import match_levels
from plausible.data.readers import in_words, read, readers
from plausible.data.readers.image_folder import image_files
from plausible.data.source import resolve_files


@dataclass(frozen=True)
class Inputs:
    """Points of a space, each with the name of where it came from, and notes on what was done."""

    part: Part
    names: tuple[str, ...]
    notes: tuple[str, ...]


def read_inputs(paths: Sequence[str], space: Space, options: Options = DEFAULTS) -> Inputs:
    """What is in these files and folders, prepared as the data that ``options`` describe were.

    Image files, and those in folders, are cropped and resized to the space; arrays (.npy, .npz, IDX)
    and tables (.csv) must have its shape.  Labels in them are passed over.
    UsageError: a path that does not exist, cannot be read, or holds points of another shape.
    """
    if not paths:
        raise UsageError("give at least one file or folder to look at")
    values: list[np.ndarray] = []
    names: list[str] = []
    notes: list[str] = []
    for source in paths:
        path = resolve_files(source)
        images = image_files(path, notes)
        if images is not None:
            values.append(_pictures(images, space, options, notes))
            names += [str(image) for image in images]
        else:
            values.append(_array(path, space, options, notes))
            count = len(values[-1])
            names += [f"{path}[{row}]" for row in range(count)] if count != 1 else [str(path)]
    stacked = torch.from_numpy(np.concatenate(values))
    return Inputs(Part(stacked, None, space), tuple(names), tuple(dict.fromkeys(notes)))


def _pictures(paths: list[Path], space: Space, options: Options, notes: list[str]) -> np.ndarray:
    """Codes (n, C, H, W) of image files.  UsageError: one that cannot be read, named."""
    if not space.is_image or space.shape[0] not in MODES:
        files = in_words(reader for reader in readers.values() if reader.endings)
        raise UsageError(
            f"{paths[0]} is an image, and the model knows {describe_shape(space.shape)}: give {files}"
        )
    channels, height, width = space.shape
    check_memory(len(paths), (width, height), channels)

    def decode(path: Path) -> np.ndarray:
        try:
            return read_pixels(path, (width, height), channels, options.background)
        except ValueError as error:
            raise UsageError(f"{path} cannot be read: {error}") from error

    with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        codes = np.stack(list(pool.map(decode, paths)))  # (n, H, W, C)
    codes = np.ascontiguousarray(np.moveaxis(codes, 3, 1))  # (n, H, W, C) -> (n, C, H, W)
    return match_levels(codes, 256, space, options, notes)


def _array(path: Path, space: Space, options: Options, notes: list[str]) -> np.ndarray:
    """Values (n, *shape) of an array or a table; a class column may be there or not."""
    plain = Options(background=options.background)
    try:
        raw = read(path, replace(plain, label=options.label))
    except UsageError:
        if options.label is None:
            raise
        raw = read(path, plain)  # a table without the class
    if raw.values.shape[1:] != space.shape:
        found = "x".join(map(str, raw.values.shape[1:]))
        raise UsageError(
            f"{path} holds points of shape {found}, and the model knows {describe_shape(space.shape)}"
        )
    if not len(raw.values):
        raise UsageError(f"{path} holds nothing")
    notes += raw.notes
    return match_levels(raw.values, raw.levels, space, options, notes)
