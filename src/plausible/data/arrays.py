"""An array of any numeric type and layout, read as images or as vectors."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.raw import Raw

CHANNELS = (1, 3, 4)


def interpret(array: np.ndarray, file: str, format: str, levels: int | None = None) -> Raw:
    """Images (N, H, W), (N, C, H, W) or (N, H, W, C), or vectors (N, D), from what the array is.

    levels  the array holds codes 0 .. levels - 1 of images; None: decided from type and range.
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
    check_finite(array, file)
    if array.ndim > 2:
        return _images(array, file, format, levels)
    if levels is not None:
        raise UsageError(
            f"{file} gives levels for an array of shape {array.shape}, but only images have"
        )
    notes = ["one number an item is taken as a vector of length 1"] if array.ndim == 1 else []
    if array.ndim == 1:
        array = array[:, None]  # (N,) -> (N, 1)
    return vectors(array, file, format, notes)


def vectors(array: np.ndarray, file: str, format: str, notes: list[str]) -> Raw:
    """Vectors (N, D) of any numeric type, as float32.  UsageError: beyond what float32 can hold."""
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(array, dtype=np.float32)
    check_finite(values, file)
    side = math.isqrt(values.shape[1])
    if side >= 8 and side * side == values.shape[1]:
        low, high = _range(values)
        if low >= 0 and high <= 255 and bool((values == np.rint(values)).all()):
            notes.append(
                f"{values.shape[1]} whole numbers an item look like flattened {side}x{side} images; "
                f"they are learned as vectors: save them as a .npy of shape (N, {side}, {side}) "
                f"to learn them as images"
            )
    raw = Raw(values, None, notes=notes)
    raw.modes[f"{array.dtype}, {format}"] = len(values)
    return raw


def check_finite(array: np.ndarray, file: str) -> None:
    """UsageError if any number is NaN or infinite, naming the file and how many are."""
    if array.dtype.kind == "f" and (bad := int(array.size - np.isfinite(array).sum())):
        raise UsageError(f"{file} has {bad:,} of {array.size:,} numbers that are NaN or infinite")


def describe_shape(shape: tuple[int, ...], sizes: Sequence[str] = ()) -> str:
    """A shape (C, H, W) or (D,) for the middle of a sentence; ``sizes`` where images have others."""
    if len(shape) != 3:
        return f"vectors of length {shape[0]}"
    channels, height, width = shape
    sizes = sizes or [f"{width}x{height}"]
    listed = ", ".join(sizes[:3]) + ", ..." * (len(sizes) > 3)
    return f"images of {listed} pixels with {channels} channel{'s' * (channels != 1)}"


def _range(array: np.ndarray) -> tuple[Any, Any]:
    """(smallest, largest) number; zeros where there is none."""
    return (array.min(), array.max()) if array.size else (0, 0)


def _images(array: np.ndarray, file: str, format: str, levels: int | None) -> Raw:
    notes: list[str] = []
    array = _channels_first(array, notes)
    if levels is not None:
        codes = _codes(array, levels, file)
    else:
        codes, levels = _grey(array, file, notes)
    raw = Raw(np.ascontiguousarray(codes), levels, notes=notes)
    count, _, height, width = codes.shape
    raw.sizes[f"{width}x{height}"] = count
    raw.modes[f"{array.dtype}, {format}"] = count
    return raw


def _channels_first(array: np.ndarray, notes: list[str]) -> np.ndarray:
    """(N, H, W), (N, C, H, W) or (N, H, W, C) -> (N, C, H, W)."""
    if array.ndim == 3:
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


def _codes(array: np.ndarray, levels: int, file: str) -> np.ndarray:
    """The array as codes 0 .. levels - 1, uint8."""
    if not 2 <= levels <= 256:
        raise UsageError(f"{file} gives levels {levels}; they must lie between 2 and 256")
    low, high = _range(array)
    whole = array.dtype.kind != "f" or bool((array == np.rint(array)).all())
    if low < 0 or high > levels - 1 or not whole:
        kind = "whole numbers" if whole else "numbers"
        raise UsageError(
            f"{file} says its images have {levels} levels, codes 0 to {levels - 1}, but it holds "
            f"{kind} from {low} to {high}"
        )
    return array.astype(np.uint8)


def _grey(array: np.ndarray, file: str, notes: list[str]) -> tuple[np.ndarray, int]:
    """(codes uint8, levels), from the type and the range of the values."""
    low, high = _range(array)
    whole = array.dtype.kind != "f" or bool((array == np.rint(array)).all())
    if low >= 0 and high <= 1 and whole:
        if array.dtype.kind != "b":
            notes.append("every pixel is 0 or 1, so the images have 2 levels")
        return array.astype(np.uint8), 2
    if low >= 0 and high <= 255 and whole:
        if high < 128:
            notes.append(
                f"the brightest of 256 levels is {high:g}: if these are codes of fewer levels, save "
                f"them in a .npz as x together with levels"
            )
        return array.astype(np.uint8), 256
    if array.dtype == np.uint16:
        notes.append("16-bit images are reduced to 8 bits, 256 levels")
        return ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8), 256
    if array.dtype.kind == "f" and high <= 1 and low >= -1:
        if low < 0:
            notes.append("pixels from -1 to 1 are mapped to 0 to 1 and rounded to 256 levels")
            array = (array + 1) / 2
        else:
            notes.append("pixels between 0 and 1 are rounded to 256 levels")
        return np.rint(array.astype(np.float64) * 255).astype(np.uint8), 256
    raise UsageError(
        f"{file} holds images of type {array.dtype} from {low:g} to {high:g}; expected 0 to 255, "
        f"or 0 to 1"
    )
