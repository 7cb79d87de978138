"""Arrays in files: one function a format (IDX, npy, npz)."""

import gzip
from pathlib import Path

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.arrays import interpret
from plausible.data.options import idx_path
from plausible.data.raw import Raw

# http://yann.lecun.com/exdb/mnist: the third byte names the type, all big-endian
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def is_idx(path: Path) -> bool:
    """True for a file that starts like an IDX file, gzipped or not."""
    try:
        with path.open("rb") as plain:
            head = plain.read(4)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                head = packed.read(4)
    except (OSError, EOFError):
        return False
    return (
        len(head) == 4 and head[:2] == b"\0\0" and head[2] in IDX_TYPES and head[3] in range(1, 5)
    )


def idx_array(path: Path) -> np.ndarray:
    """The array of one IDX file, gzipped or not.  UsageError: not IDX, cut off, unreadable."""
    if not is_idx(path):
        raise UsageError(f"{path} is not an IDX file, or cannot be read")
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except Exception as error:  # a damaged archive raises one of many kinds
        raise UsageError(f"{path} cannot be read: {_line(error)}") from error
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


def idx(path: Path) -> Raw:
    """One IDX file of images or vectors, with the labels that lie beside it under the usual name."""
    raw = _idx_part(path, _labels_beside(path))
    if raw.labels is not None:
        raw.notes.append(f"labels come from {_labels_beside(path)} beside it")
    return raw


def idx_folder(folder: Path) -> Raw | None:
    """A folder with IDX files under their usual names; its t10k files become the held-out part.

    None if there are no such files.  UsageError: the two parts do not go together.
    """
    images = {part: idx_path(folder, part, "images") for part in ("train", "t10k")}
    parts = {
        part: _idx_part(path, idx_path(folder, part, "labels"))
        for part, path in images.items()
        if path
    }
    if len(parts) < 2:
        return next(iter(parts.values()), None)
    train, test = parts["train"], parts["t10k"]
    if train.values.shape[1:] != test.values.shape[1:] or train.levels != test.levels:
        raise UsageError(
            f"{images['train']} and {images['t10k']} hold items of different shape or levels"
        )
    if (train.labels is None) != (test.labels is None):
        lacking = images["train" if train.labels is None else "t10k"]
        raise UsageError(f"{lacking} has no labels beside it while the other part has")
    merged = Raw(np.concatenate([train.values, test.values]), train.levels, notes=train.notes)
    if train.labels is not None and test.labels is not None:
        merged.labels = np.concatenate([train.labels, test.labels])
    merged.heldout = len(test.values)
    merged.sizes, merged.modes = train.sizes + test.sizes, train.modes + test.modes
    merged.notes.append(f"the {merged.heldout:,} items of the t10k files are the held-out part")
    return merged


def npy(path: Path) -> Raw:
    """A .npy file: images or vectors, see ``interpret``."""
    return interpret(_numpy(path), str(path), "npy")


def npz(path: Path) -> Raw:
    """A .npz file: x (or images, arr_0, the only array), and where present y (or labels), levels.

    With ``levels`` x holds codes 0 .. levels - 1, as the library writes its own samples.
    """
    arrays = _numpy(path)
    y = next((name for name in ("y", "labels") if name in arrays), None)
    others = [name for name in arrays if name not in (y, "levels")]
    x = next((name for name in ("x", "images", "arr_0") if name in others), None)
    if x is None and len(others) != 1:
        found = ", ".join(arrays) or "none"
        raise UsageError(f"{path} needs an array called x; its arrays: {found}")
    raw = interpret(arrays[x or others[0]], str(path), "npz", _levels(arrays.get("levels"), path))
    if len(others) > 1:
        raw.notes.append(f"of the arrays {', '.join(others)} only {x} is read")
    if y is not None:
        raw.labels = _as_labels(arrays[y], len(raw.values), f"{y} of {path}", str(path))
    return raw


def _idx_part(path: Path, labels: Path | None) -> Raw:
    array = idx_array(path)
    if array.ndim == 1:
        raise UsageError(f"{path} holds labels or single numbers, not images; give the images file")
    raw = interpret(array, str(path), "IDX")
    if labels is not None:
        raw.labels = _as_labels(idx_array(labels), len(raw.values), str(labels), str(path))
    return raw


def _labels_beside(path: Path) -> Path | None:
    name = path.name.replace("images", "labels").replace("idx3", "idx1")
    for candidate in (name, name.removesuffix(".gz"), name.removesuffix(".gz") + ".gz"):
        if candidate != path.name and (path.parent / candidate).is_file():
            return path.parent / candidate
    return None


def _numpy(path: Path):  # type: ignore[no-untyped-def]  # an array or a dict of arrays
    try:
        loaded = np.load(path, allow_pickle=False)
        return loaded if isinstance(loaded, np.ndarray) else {k: loaded[k] for k in loaded.files}
    except Exception as error:  # what a damaged or foreign file raises depends on its bytes
        raise UsageError(f"{path} cannot be read as plain numpy arrays: {_line(error)}") from error


def _levels(value: np.ndarray | None, path: Path) -> int | None:
    if value is None or value.size == 0:
        return None
    if value.size != 1 or value.dtype.kind not in "iu":
        raise UsageError(f"levels of {path} must be one whole number between 2 and 256")
    return int(value.reshape(())) or None  # 0 says: continuous


def _as_labels(labels: np.ndarray, count: int, name: str, items: str) -> np.ndarray:
    """(N,) or (N, 1) -> (N,).  UsageError: another shape or another count than the items."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]  # (N, 1) -> (N,)
    if labels.ndim != 1:
        raise UsageError(
            f"{name} has shape {labels.shape}; labels are one number or word an item, (N,)"
        )
    if len(labels) != count:
        raise UsageError(f"{name} has {len(labels):,} labels for the {count:,} items of {items}")
    return labels


def _line(error: Exception) -> str:
    """The first line of what an error says, for the middle of a sentence."""
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
