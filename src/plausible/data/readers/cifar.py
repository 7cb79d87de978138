"""CIFAR-10 in its binary version: records of a class and 3 x 32 x 32 pixels, in batches, unpacked or not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.archive import tar_members
from plausible.data.arrays import interpret
from plausible.data.limits import check_limit
from plausible.data.links import check_link
from plausible.data.options import Options
from plausible.data.raw import Raw, first_line
from plausible.data.readers.reader import Progress, readers

TRAIN = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
TEST = "test_batch.bin"
ARCHIVE = "cifar-10-binary.tar.gz"
NAMES = "batches.meta.txt"
_FOLDER = "cifar-10-batches-bin"
_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32  # bytes: the class, then red, green and blue by rows
_LONGEST = 2**16  # bytes of the names of the classes


def is_cifar(path: Path) -> bool:
    """True for a folder of its batches, one that holds such a folder or the archive of it, and the archive."""
    if path.is_file():
        return path.name == ARCHIVE
    return path.is_dir() and (_batches(path) is not None or (path / ARCHIVE).is_file())


@readers.by_content("CIFAR-10's binary files", is_cifar)
def cifar(path: Path, options: Options, progress: Progress | None) -> Raw:
    """The batches that are there, in their order, with the names of the classes; the test batch is the held-out part.

    UsageError: cut off, or a class that has no name.
    """
    folder = _batches(path)
    read = _of_archive(path, options) if folder is None else _of_folder(folder, options)
    files = dict(read)
    batches = [name for name in (*TRAIN, TEST) if name in files]
    if not batches:
        raise UsageError(f"{path} holds none of {', '.join((*TRAIN, TEST))}")
    records = {name: _records(files[name], name, path) for name in batches}
    x = np.concatenate([records[name][:, 1:] for name in batches])
    raw = interpret(x.reshape(-1, *_SHAPE), str(path), "CIFAR-10", value_range=options.value_range)
    raw.labels = _named(np.concatenate([records[name][:, 0] for name in batches]), files.get(NAMES, b""), path)  # fmt: skip
    if TEST in files and len(batches) > 1:
        raw.heldout = len(records[TEST])
        raw.notes.append(f"the {raw.heldout:,} items of {TEST} are the held-out part")
    return raw


def _batches(path: Path) -> Path | None:
    """The folder of the batches: a path, or one in it."""
    places = (path, path / _FOLDER)
    return next((p for p in places for name in (*TRAIN, TEST) if (p / name).is_file()), None)


def _of_folder(folder: Path, options: Options) -> Iterator[tuple[str, bytes]]:
    for name in (*TRAIN, TEST, NAMES):
        file = folder / name
        if file.is_file():
            check_link(file, folder, options.follow_links)
            check_limit("gib", file.stat().st_size / 2**30, file)
            yield name, file.read_bytes()


def _of_archive(path: Path, options: Options) -> Iterator[tuple[str, bytes]]:
    """The same files out of the archive, without unpacking it to the disk."""
    if path.is_dir():
        check_link(path / ARCHIVE, path, options.follow_links)
        path = path / ARCHIVE
    try:
        for place, size, content in tar_members(path):
            name = place.rpartition("/")[2]
            if name in (*TRAIN, TEST, NAMES):
                check_limit("gib", size / 2**30, path)
                yield name, content.read()
    except UsageError:
        raise
    except Exception as error:  # what a damaged archive raises depends on its bytes
        raise UsageError(f"{path} cannot be unpacked: {first_line(error)}") from error


def _records(content: bytes, name: str, path: Path) -> np.ndarray:
    """(N, 3073) uint8.  UsageError: not a whole number of records."""
    if not content or len(content) % _RECORD:
        raise UsageError(
            f"{path}: {name} has {len(content):,} bytes, and its records have {_RECORD:,} each: it is cut off, or none "
            f"of CIFAR-10's binary version"
        )
    return np.frombuffer(content, np.uint8).reshape(-1, _RECORD)


def _named(y: np.ndarray, names: bytes, path: Path) -> np.ndarray:
    """(N,) names of the classes, or their numbers where nothing names them.  UsageError: one that has none."""
    words = names[:_LONGEST].decode("utf-8", "replace").split()
    if words and y.max() >= len(words):
        raise UsageError(
            f"{path}: {NAMES} names {len(words)} classes, and an item is of class {y.max()}"
        )
    return np.array(words)[y] if words else y
