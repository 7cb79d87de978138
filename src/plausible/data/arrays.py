"""An array of any numeric type and layout, read as images or as vectors."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.limits import check_limit
from plausible.data.mapped import blocks
from plausible.data.raw import Raw
from plausible.data.rounding import check_rounding
from plausible.data.value_range import (
    Extent,
    ValueRange,
    count_levels,
    decide_range,
    explain,
    extent,
    to_codes,
)

CHANNELS = (1, 3, 4)


def interpret(
    array: np.ndarray,
    file: str,
    format: str,
    levels: int | None = None,
    value_range: ValueRange | None = None,
) -> Raw:
    """Images (N, H, W), (N, C, H, W) or (N, H, W, C), or vectors (N, D), from what the array is.

    levels  the array holds codes 0 .. levels - 1 of images; None: decided from type and range.
    value_range  (black, white) that images have if their values allow it; None: decided from type and range.
    Every decision that could have gone otherwise is explained in the notes.
    UsageError: not numbers, NaN or infinite, 0 or more than 4 axes, values that are no grey values.
    """
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{file} holds values of type {array.dtype}, not plain numbers")
    if array.ndim not in (1, 2, 3, 4) or 0 in array.shape[1:]:
        raise UsageError(
            f"{file} holds an array of shape {array.shape}; expected vectors (N, D) or "
            f"images (N, H, W), (N, C, H, W) or (N, H, W, C)"
        )
    array = array.astype(array.dtype.newbyteorder("="), copy=False)  # of whatever machine
    check_finite(array, file)
    if array.ndim > 2:
        return _images(array, file, format, levels, value_range)
    if levels is not None:
        raise UsageError(
            f"{file} gives levels for an array of shape {array.shape}, but only images have"
        )
    notes = ["one number an item is taken as a vector of length 1"] if array.ndim == 1 else []
    if array.ndim == 1:
        array = array[:, None]  # (N,) -> (N, 1)
    return vectors(array, file, format, notes)


def concatenate(arrays: Mapping[str, np.ndarray], file: str) -> np.ndarray:
    """Arrays of several names, one after the other, so that what is decided holds for all of them.

    UsageError: items of different shape, or whole numbers and fractions mixed.
    """
    (first, one), *others = arrays.items()
    if not others or one.ndim == 0:
        return one
    for name, other in others:
        if other.shape[1:] != one.shape[1:] or other.ndim != one.ndim:
            raise UsageError(
                f"{first} and {name} in {file} hold items of different shape: {one.shape} and {other.shape}"
            )
        if (other.dtype.kind in "biu") != (one.dtype.kind in "biu"):
            raise UsageError(
                f"{first} and {name} in {file} hold different types: {one.dtype} and {other.dtype}"
            )
    return np.concatenate(list(arrays.values()))


def vectors(
    array: np.ndarray, file: str, format: str, notes: list[str], columns: Sequence[str] = ()
) -> Raw:
    """Vectors (N, D) of any numeric type, as float32, and which coordinates are whole numbers alone.  UsageError: beyond what float32 can hold."""
    check_limit("columns", array.shape[1], file)
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(array, dtype=np.float32)
    check_finite(values, file)
    check_rounding(array, values, file, columns, notes)
    side = math.isqrt(values.shape[1])
    if side >= 8 and side * side == values.shape[1]:
        low, high, whole, _ = extent(values)
        if low >= 0 and high <= 255 and whole:
            notes.append(
                f"{values.shape[1]} whole numbers an item look like flattened {side}x{side} images; "
                f"they are learned as vectors: save them as a .npy of shape (N, {side}, {side}) "
                f"to learn them as images"
            )
    is_whole = [array.dtype.kind != "f" or not np.mod(column, 1).any() for column in array.T]
    integers = tuple(np.flatnonzero(is_whole).tolist())
    raw = Raw(values, None, notes=notes, columns=tuple(columns), whole=integers)
    raw.modes[f"{array.dtype}, {format}"] = len(values)
    return raw


def check_finite(array: np.ndarray, file: str) -> None:
    """UsageError if any number is NaN or infinite, naming the file and how many are."""
    if array.dtype.kind != "f":
        return
    finite = sum(int(np.isfinite(block).sum()) for block in blocks(array))
    if bad := array.size - finite:
        raise UsageError(f"{file} has {bad:,} of {array.size:,} numbers that are NaN or infinite")


def describe_shape(shape: tuple[int, ...], sizes: Sequence[str] = ()) -> str:
    """A shape (C, H, W) or (D,) for the middle of a sentence; ``sizes`` where images have others."""
    if len(shape) != 3:
        return f"vectors of length {shape[0]}"
    channels, height, width = shape
    sizes = sizes or [f"{width}x{height}"]
    listed = ", ".join(sizes[:3]) + ", ..." * (len(sizes) > 3)
    return f"images of {listed} pixels with {channels} channel{'s' * (channels != 1)}"


def _images(
    array: np.ndarray, file: str, format: str, levels: int | None, like: ValueRange | None
) -> Raw:
    notes: list[str] = []
    array = _channels_first(array, notes)
    found = extent(array)
    if levels is not None:
        _check_codes(found, levels, file)
        chosen: ValueRange = (0, levels - 1)
    else:
        chosen = decide_range(found, file, like)
        levels = count_levels(found, chosen)
        notes += filter(None, [explain(found, chosen, levels, like)])
    raw = Raw(to_codes(array, chosen, levels), levels, notes=notes, value_range=chosen)
    count, _, height, width = array.shape
    raw.sizes[f"{width}x{height}"] = count
    raw.modes[f"{array.dtype}, {format}"] = count
    return raw


def _channels_first(array: np.ndarray, notes: list[str]) -> np.ndarray:
    """(N, H, W), (N, C, H, W) or (N, H, W, C) -> (N, C, H, W)."""
    if array.ndim == 3:
        count, height, width = array.shape
        if width in (3, 4) and width < min(count, height):
            notes.append(
                f"shape {array.shape} is read as {count} grey images of {width}x{height}: one picture "
                f"(H, W, C) has the shape {(1, *array.shape)}"
            )
        return array[:, None]  # (N, H, W) -> (N, 1, H, W)
    first, last = array.shape[1], array.shape[3]
    if (first in CHANNELS) == (last in CHANNELS):  # both could be, or neither: the smaller one is
        taken = "second" if first <= last else "last"
        notes.append(
            f"shape {array.shape} could be (N, C, H, W) or (N, H, W, C): the {taken} axis is taken "
            f"as the channels"
        )
        channels_last = last < first
    else:
        channels_last = last in CHANNELS
    return np.moveaxis(array, 3, 1) if channels_last else array  # (N, H, W, C) -> (N, C, H, W)


def _check_codes(found: Extent, levels: int, file: str) -> None:
    """UsageError unless the numbers are codes 0 .. levels - 1."""
    if not 2 <= levels <= 256:
        raise UsageError(f"{file} gives levels {levels}; they must lie between 2 and 256")
    if found.low < 0 or found.high > levels - 1 or not found.whole:
        kind = "whole numbers" if found.whole else "numbers"
        raise UsageError(
            f"{file} says its images have {levels} levels, codes 0 to {levels - 1}, but it holds "
            f"{kind} from {found.low:g} to {found.high:g}"
        )
