"""Arrays that numpy wrote: .npy and .npz files."""

import zipfile
from pathlib import Path

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.arrays import concatenate, interpret
from plausible.data.labels import as_labels
from plausible.data.limits import check_limit, check_unpacked
from plausible.data.mapped import empty, is_large
from plausible.data.options import Options
from plausible.data.raw import Raw, first_line
from plausible.data.readers.file_parts import PARTS
from plausible.data.readers.reader import Progress, readers

# what arrays are called, the usual names first; "" where an array is called train or test alone
ITEMS = ("x", "images", "arr_0", "image", "imgs", "data", "features", "samples", "")
LABELS = ("y", "labels", "label", "targets", "target", "classes")
FIRST = (
    "x",
    "images",
    "arr_0",
    "y",
    "labels",
)  # of several in an archive, the first of these is read
_AT_ONCE = 2**24  # bytes of an archive that are unpacked at once
KNOWN = "x, images or data with y, labels or target, and these with _train, _val and _test"


@readers.by_ending(".npy")
def npy(path: Path, options: Options, progress: Progress | None) -> Raw:
    """A .npy file: images or vectors, see ``interpret``."""
    array = read_arrays(path)
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{path} is an archive of arrays: call it .npz")
    return interpret(array, str(path), "npy", value_range=options.value_range)


@readers.by_ending(".npz")
def npz(path: Path, options: Options, progress: Progress | None) -> Raw:
    """A .npz file: x and where present y and levels; or x_train, x_val, x_test, each perhaps with its y.

    Other common names are known, too.  With ``levels`` x holds codes 0 .. levels - 1, as the library writes
    its own samples.  What is called test becomes the held-out part.
    UsageError: no array that is known to be x, or several.
    """
    arrays = read_arrays(path)
    if isinstance(arrays, np.ndarray):
        raise UsageError(f"{path} is a single array and no archive: call it .npy")
    levels = _levels(arrays.pop("levels", None), path)
    notes: list[str] = []
    items, labels = _chosen(arrays, path, notes)
    together = concatenate({name: arrays[name] for name in items.values()}, str(path))
    raw = interpret(together, str(path), "npz", levels, options.value_range)
    if labels:
        y = [
            as_labels(
                arrays[labels[part]], len(arrays[name]), f"{labels[part]} of {path}", str(path)
            )
            for part, name in items.items()
        ]
        raw.labels = np.concatenate(y)
    sizes = {part: len(arrays[name]) for part, name in items.items()}
    if "validation" in items and len(items) > 1:
        notes.append(f"the {sizes['validation']:,} items of {items['validation']} join the others")
    if "test" in items and len(items) > 1:
        raw.heldout = sizes["test"]
        notes.append(f"the {raw.heldout:,} items of {items['test']} are the held-out part")
    raw.notes += notes
    return raw


def _chosen(
    arrays: dict[str, np.ndarray], path: Path, notes: list[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """{part: its items}, the test part last, and {part: their labels} of all of these or none.

    The notes say what else there is.  UsageError: no array that is known to be x, or several.
    """
    x, y = _by_part(arrays, ITEMS), _by_part(arrays, LABELS)
    others = [name for name in arrays if name not in y.get("", [])]
    if not x and len(others) == 1:
        x = {"": others}
    listed = ", ".join(arrays) or "none"
    if not x:
        raise UsageError(
            f"{path} needs an array called x; its arrays: {listed} (known are {KNOWN})"
        )
    either = next(
        (names for part in x for names in (x[part], y.get(part, [])) if len(names) > 1), []
    )
    if "" in x and len(x) > 1:
        either = [names[0] for names in x.values()]
    if either:
        raise UsageError(
            f"{path} leaves open whether to read {' or '.join(either)}; its arrays: {listed}: save what to "
            f"learn from as x, with its classes as y"
        )
    if x == {"": ["arr_0"]} and not y and _are_labels(arrays.get("arr_1"), arrays["arr_0"]):
        y = {"": ["arr_1"]}
        notes.append("arr_1 is taken as the labels of arr_0")
    items = {part: x[part][0] for part in ("", *PARTS) if part in x}
    labels = {part: y[part][0] for part in items if part in y}
    if next(iter(items)) not in labels:
        labels = {}
    for part in [part for part in items if labels and part not in labels]:
        notes.append(f"{items.pop(part)} has no labels and the others have, so it is left out")
    read = [*items.values(), *labels.values()]
    if len(read) < len(arrays):
        notes.append(
            f"of the arrays {listed} only {', '.join(read)} {'is' if len(read) == 1 else 'are'} read"
        )
    return items, labels


def _by_part(arrays: dict[str, np.ndarray], known: tuple[str, ...]) -> dict[str, list[str]]:
    """{part: the arrays that are called one of these in it}; the part is "" where the name says none."""
    found: dict[str, list[str]] = {}
    for name in arrays:
        content, part = _split_name(name)
        if content in known and (content or part):
            found.setdefault(part, []).append(name)
    for names in found.values():
        if first := [name for name in FIRST if name in names]:
            names[:] = first[:1]
    return found


def _split_name(name: str) -> tuple[str, str]:
    """What an array is and of which part.

    >>> [_split_name(name) for name in ("X_train", "test-labels", "Xval", "images")]
    [('x', 'train'), ('labels', 'test'), ('x', 'validation'), ('images', '')]
    """
    plain = name.lower().replace("-", "_").replace(".", "_")
    for part, words in PARTS.items():
        for word in words:
            for rest in (
                plain.removesuffix(word).rstrip("_"),
                plain.removeprefix(word).lstrip("_"),
            ):
                if len(rest) < len(plain.strip("_")) and rest in (*ITEMS, *LABELS):
                    return rest, part
    return plain, ""


def _are_labels(array: np.ndarray | None, items: np.ndarray) -> bool:
    """One whole number or word an item."""
    return (
        array is not None
        and array.dtype.kind in "iuU"
        and array.shape in (items.shape[:1], (*items.shape[:1], 1))
    )


def read_arrays(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    """The array of a .npy file, or {name: array} of a .npz file.  UsageError: it cannot be read, or is too large."""
    try:
        _check_size(path)
        if is_large(path.stat().st_size) and not zipfile.is_zipfile(path):
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
            if mapped.ndim > 2:  # images; vectors are learned from as a whole
                return mapped
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return {name: _member(loaded, name) for name in loaded.files}
    except UsageError:
        raise
    except Exception as error:  # what a damaged or foreign file raises depends on its bytes
        raise UsageError(
            f"{path} cannot be read as plain numpy arrays: {first_line(error)}"
        ) from error


def _member(archive: "np.lib.npyio.NpzFile", name: str) -> np.ndarray:
    """An array of an archive, on the disk where it is too large for the memory."""
    assert archive.zip is not None
    inside = next(n for n in (f"{name}.npy", name) if n in archive.zip.namelist())
    if not is_large(archive.zip.getinfo(inside).file_size):
        whole: np.ndarray = archive[name]
        return whole
    with archive.zip.open(inside) as file:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0  # fmt: skip
        shape, by_columns, kind = header(file)
        if by_columns or kind.hasobject or len(shape) < 3:
            plain: np.ndarray = archive[name]
            return plain
        made = empty(shape, kind)
        bytes = made.reshape(-1).view(np.uint8)
        for start in range(0, len(bytes), _AT_ONCE):
            piece = file.read(min(_AT_ONCE, len(bytes) - start))
            bytes[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
            if not piece:
                raise ValueError(f"{inside} is cut off")
    return made


def _check_size(path: Path) -> None:
    """UsageError: more than is read, by what the file says of itself."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            check_unpacked(sum(member.file_size for member in archive.infolist()), path)
    else:
        check_limit("gib", path.stat().st_size / 2**30, path)


def _levels(value: np.ndarray | None, path: Path) -> int | None:
    if value is None or value.size == 0:
        return None
    if value.size != 1 or value.dtype.kind not in "iu":
        raise UsageError(f"levels of {path} must be one whole number between 2 and 256")
    return int(value.reshape(())) or None  # 0 says: continuous
