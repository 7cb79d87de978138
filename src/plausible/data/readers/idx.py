"""IDX files, in which MNIST came: single ones, and folders of them under their usual names."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.arrays import concatenate, interpret
from plausible.data.labels import as_labels
from plausible.data.limits import check_limit, check_unpacked
from plausible.data.links import check_link
from plausible.data.options import Options
from plausible.data.raw import Raw, first_line
from plausible.data.readers.reader import Progress, readers
from plausible.data.value_range import ValueRange

# http://yann.lecun.com/exdb/mnist: the third byte names the type, all big-endian
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
PARTS = ("train", "t10k")  # what the usual names begin with; the second is for testing


def idx_path(folder: Path, part: str, content: str) -> Path | None:
    """The IDX file of a part ("train", "t10k") and content ("images", "labels") under its usual
    names, gzipped or not; None if there is none.
    """
    rank = 3 if content == "images" else 1
    for dash in "-.":
        for ending in ("", ".gz"):
            path = folder / f"{part}-{content}{dash}idx{rank}-ubyte{ending}"
            if path.is_file():
                return path
    return None


def is_idx(path: Path) -> bool:
    """True for a file that starts like one, and for a folder with images under one of the usual names."""
    if path.is_dir():
        return any(idx_path(path, part, "images") for part in PARTS)
    return path.is_file() and is_idx_file(path)


@readers.by_content("an IDX file or folder", is_idx)
def idx(path: Path, options: Options, progress: Progress | None) -> Raw:
    """A file with the labels that lie beside it, or a folder whose t10k files become the held-out part."""
    _check_links(path, options.follow_links)
    read = _idx_folder if path.is_dir() else _idx_file
    return read(path, options.value_range)


def _check_links(path: Path, follow: bool) -> None:
    """UsageError: what is read because it lies in a folder, or beside a file, is a link that leads elsewhere."""
    if path.is_dir():
        both = ("images", "labels")
        found = [idx_path(path, part, content) for part in PARTS for content in both]
    else:
        found = [_labels_beside(path)]
    for file in filter(None, found):
        check_link(file, file.parent, follow)


def is_idx_file(path: Path) -> bool:
    """True for a file that starts like an IDX file, gzipped or not."""
    try:
        with path.open("rb") as plain:
            head = plain.read(4)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                head = packed.read(4)
    except (OSError, EOFError, zlib.error):
        return False
    return (
        len(head) == 4 and head[:2] == b"\0\0" and head[2] in IDX_TYPES and head[3] in range(1, 5)
    )


def idx_array(path: Path) -> np.ndarray:
    """The array of one IDX file, gzipped or not.  UsageError: not IDX, cut off, unreadable."""
    if not is_idx_file(path):
        raise UsageError(f"{path} is not an IDX file, or cannot be read")
    try:
        check_limit("gib", path.stat().st_size / 2**30, path)
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = _decompressed(path)
    except UsageError:
        raise
    except Exception as error:  # a damaged archive raises one of many kinds
        raise UsageError(f"{path} cannot be read: {first_line(error)}") from error
    kind, rank = np.dtype(IDX_TYPES[content[2]]), content[3]
    start = 4 + 4 * rank
    if len(content) < start:
        raise UsageError(f"{path} is cut off in its header, at {len(content)} bytes")
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", rank, 4))
    expected = start + kind.itemsize * int(np.prod(shape, dtype=object))
    if len(content) != expected:
        state = "cut off" if len(content) < expected else "too long"
        raise UsageError(
            f"{path} is {state}: shape {shape} needs {expected:,} bytes and it has {len(content):,}"
        )
    array = np.frombuffer(content, kind, offset=start).reshape(shape)
    return array.astype(kind.newbyteorder("="))


def _decompressed(path: Path) -> bytes:
    """What a gzipped file holds, of which its header says how much that must be.  UsageError: more than is read."""
    with gzip.open(path) as file:
        head = file.read(4 + 4 * 4)
        kind, rank = np.dtype(IDX_TYPES[head[2]]), head[3]
        shape = np.frombuffer(head, ">u4", min(rank, (len(head) - 4) // 4), 4)
        expected = 4 + 4 * rank + kind.itemsize * int(np.prod(shape, dtype=object))
        check_unpacked(expected, path)
        return head + file.read(
            max(0, expected - len(head)) + 1
        )  # one more says that it is too long


def _idx_file(path: Path, like: ValueRange | None) -> Raw:
    """One IDX file of images or vectors, with the labels that lie beside it under the usual name."""
    array, y = _idx_part(path, _labels_beside(path))
    raw = interpret(array, str(path), "IDX", value_range=like)
    if y is not None:
        raw.labels = y
        raw.notes.append(f"labels come from {_labels_beside(path)} beside it")
    return raw


def _idx_folder(folder: Path, like: ValueRange | None) -> Raw:
    """A folder with IDX files under their usual names; its t10k files become the held-out part.

    UsageError: the two parts do not go together.
    """
    images = {part: path for part in PARTS if (path := idx_path(folder, part, "images"))}
    found = {
        part: _idx_part(path, idx_path(folder, part, "labels")) for part, path in images.items()
    }
    # as one array, so that what is decided about grey values holds for both
    together = concatenate({images[part].name: x for part, (x, _) in found.items()}, str(folder))
    y = {part: labels for part, (_, labels) in found.items() if labels is not None}
    if y and len(y) < len(found):
        lacking = next(images[part] for part in found if part not in y)
        raise UsageError(f"{lacking} has no labels beside it while the other part has")
    source = folder if len(images) > 1 else next(iter(images.values()))
    raw = interpret(together, str(source), "IDX", value_range=like)
    if y:
        raw.labels = np.concatenate(list(y.values()))
    if len(found) > 1:
        raw.heldout = len(found["t10k"][0])
        raw.notes.append(f"the {raw.heldout:,} items of the t10k files are the held-out part")
    return raw


def _idx_part(path: Path, labels: Path | None) -> tuple[np.ndarray, np.ndarray | None]:
    """(items, their labels or None)."""
    array = idx_array(path)
    if array.ndim == 1:
        raise UsageError(f"{path} holds labels or single numbers, not images; give the images file")
    if labels is None:
        return array, None
    return array, as_labels(idx_array(labels), len(array), str(labels), str(path))


def _labels_beside(path: Path) -> Path | None:
    name = path.name.replace("images", "labels").replace("idx3", "idx1")
    for candidate in (name, name.removesuffix(".gz"), name.removesuffix(".gz") + ".gz"):
        if candidate != path.name and (path.parent / candidate).is_file():
            return path.parent / candidate
    return None
