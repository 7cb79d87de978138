"""Arrays that may be larger than the memory: then they lie in a file on the disk, of which what is asked for is read.

A file that is mapped is an array like any other, numpy's and torch's, so whoever indexes it need not know.
"""

import errno
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from plausible.core.errors import UsageError
from plausible.core.memory import GIB, available_memory
from plausible.data.cache import cache
from plausible.data.limits import limits

_BLOCK = 4096  # rows that are in memory at once
_DRAFT = "draft-"  # how files begin that go with who writes them


def empty(shape: Sequence[int], dtype: Any = np.uint8) -> np.ndarray:
    """An array to be filled: in memory, or a mapped file where it would take too large a share of what is free.

    ``limits().memory`` is that share.  The file goes when the array goes.  UsageError: the disk has no room for it.
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    if not is_large(size):
        return np.empty(shape, dtype)
    folder = data_folder()
    with room(folder, size):
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        handle, name = tempfile.mkstemp(prefix=f"{_DRAFT}{os.getpid()}-", dir=folder)
        try:
            _reserve(handle, max(size, 1))
        except OSError:
            os.unlink(name)
            raise
        finally:
            os.close(handle)
    mapped = np.memmap(name, dtype, "r+", shape=tuple(shape))
    weakref.finalize(mapped, _remove, name)
    return mapped


def is_large(size: int) -> bool:
    """Whether so many bytes are too large a share of the memory that is free."""
    return size > limits().memory * available_memory()


def is_mapped(array: np.ndarray) -> bool:
    """Whether its numbers lie on the disk."""
    return isinstance(array, np.memmap) and getattr(array, "_mmap", None) is not None


def by_blocks(
    function: Callable[[np.ndarray], np.ndarray], array: np.ndarray, block: int = _BLOCK
) -> np.ndarray:
    """function(array), which treats every row alike: a block of rows at a time where they lie on the disk."""
    if not is_mapped(array):
        return function(array)
    first = function(array[:1])
    made = empty((len(array), *first.shape[1:]), first.dtype)
    for start in range(0, len(array), block):
        made[start : start + block] = function(array[start : start + block])
    return made


def taken(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """array[rows], on the disk where it is too large for the memory: rows (n,) int64."""
    made = empty((len(rows), *array.shape[1:]), array.dtype)
    if not is_mapped(made):
        return array[rows]
    for start in range(0, len(rows), _BLOCK):
        made[start : start + _BLOCK] = array[rows[start : start + _BLOCK]]
    return made


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """The arrays one after the other, on the disk where they are too large for the memory."""
    made = empty((sum(map(len, arrays)), *arrays[0].shape[1:]), arrays[0].dtype)
    start = 0
    for array in arrays:
        for first in range(0, len(array), _BLOCK):
            rows = array[first : first + _BLOCK]
            made[start : start + len(rows)] = rows
            start += len(rows)
    return made


def blocks(array: np.ndarray) -> Iterator[np.ndarray]:
    """The rows of an array, some at a time."""
    for start in range(0, len(array), _BLOCK):
        yield array[start : start + _BLOCK]


def write_reserved(array: np.ndarray, path: Path) -> None:
    """Write the numbers of an array to a file whose room is taken first.  OSError: there is none."""
    with path.open("wb") as file:
        _reserve(file.fileno(), max(array.nbytes, 1))
        array.tofile(file)


def data_folder() -> Path:
    """Where what is too large for the memory lies, below $PLAUSIBLE_CACHE."""
    return cache() / "mapped"


@contextmanager
def room(folder: Path, size: int) -> Iterator[None]:
    """UsageError in the place of an error that says that a folder has no room for so many bytes, or cannot be written."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        what = "there is no room for them" if full else f"it cannot be written ({error.strerror})"
        raise UsageError(
            f"these data take {size / GIB:,.1f} GiB and are kept in {folder}, where {what}: choose another disk with "
            f"PLAUSIBLE_CACHE, a smaller --size, or more memory for them (PLAUSIBLE_LIMITS=memory=0.9)"
        ) from error


def _reserve(handle: int, size: int) -> None:
    """Take the room now: a mapped page that finds the disk full ends the process without a word.

    OSError: there is none.  That is asked first, because some disks are filled to the brim before they say so.
    """
    disk = os.fstatvfs(handle) if hasattr(os, "fstatvfs") else None
    if disk is not None and size > disk.f_bavail * disk.f_frsize:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
    else:
        os.truncate(handle, size)


def _sweep(folder: Path) -> None:
    """Take away what processes that have ended left half written."""
    for path in folder.glob(f"{_DRAFT}*"):
        number = path.name.removeprefix(_DRAFT).partition("-")[0]
        if number.isdigit() and not _is_alive(int(number)):
            _remove(str(path))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(name: str) -> None:
    with suppress(OSError):
        os.unlink(name)
