"""Arrays that numpy wrote: .npy and .npz files."""

from pathlib import Path

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.arrays import interpret
from plausible.data.labels import as_labels
from plausible.data.options import Options
from plausible.data.raw import Raw, first_line
from plausible.data.readers.reader import Progress, readers


@readers.by_ending(".npy")
def npy(path: Path, options: Options, progress: Progress | None) -> Raw:
    """A .npy file: images or vectors, see ``interpret``."""
    array = _load(path)
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{path} is an archive of arrays: call it .npz")
    return interpret(array, str(path), "npy")


@readers.by_ending(".npz")
def npz(path: Path, options: Options, progress: Progress | None) -> Raw:
    """A .npz file: x (or images, arr_0, the only array), and where present y (or labels), levels.

    With ``levels`` x holds codes 0 .. levels - 1, as the library writes its own samples.
    """
    arrays = _load(path)
    if isinstance(arrays, np.ndarray):
        raise UsageError(f"{path} is a single array and no archive: call it .npy")
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
        raw.labels = as_labels(arrays[y], len(raw.values), f"{y} of {path}", str(path))
    return raw


def _load(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    try:
        loaded = np.load(path, allow_pickle=False)
        return loaded if isinstance(loaded, np.ndarray) else {k: loaded[k] for k in loaded.files}
    except Exception as error:  # what a damaged or foreign file raises depends on its bytes
        raise UsageError(
            f"{path} cannot be read as plain numpy arrays: {first_line(error)}"
        ) from error


def _levels(value: np.ndarray | None, path: Path) -> int | None:
    if value is None or value.size == 0:
        return None
    if value.size != 1 or value.dtype.kind not in "iu":
        raise UsageError(f"levels of {path} must be one whole number between 2 and 256")
    return int(value.reshape(())) or None  # 0 says: continuous
