"""What is in memory, as a reader hands it over: arrays, tables, data sets of torch, and pairs or parts of these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from plausible.core.errors import UsageError
from plausible.data.arrays import concatenate, interpret
from plausible.data.images import MODES, center_crop_resize, convert_mode
from plausible.data.labels import as_labels
from plausible.data.options import Options
from plausible.data.raw import Raw
from plausible.data.readers import Progress
from plausible.data.readers.column_roles import CLASS_COLUMNS
from plausible.data.readers.csv_table import read_rows

TAKEN = (
    'a name or a path, an array or tensor, a DataFrame, a torch Dataset, a pair (x, y) of these, or {"train": ..., '
    '"test": ...}'
)
PARTS = ("train", "test")
TABLE = "table"  # what a DataFrame is called


@dataclass
class Held:
    """Items in memory before anything is decided.

    x      an array (N, ...), or the rows of cells of a table.
    y      (N,) labels, or None.
    names  of the columns of a table; None of an array.
    label  of a table the column that was given as its labels.
    kind   what a sentence calls it.
    """

    x: Any
    y: Any = None
    names: list[str] | None = None
    label: str | None = None
    kind: str = "array"


def read_memory(source: Any, options: Options, progress: Progress | None = None) -> tuple[Raw, str]:
    """(the items of a source that is no path, as if they had been read from a file, a name for them).

    UsageError: of no type that is taken, named; items that do not go together.
    """
    if not isinstance(source, Mapping):
        held = _held(source, options, progress)
        return _raw([held], options), held.kind
    strange = [key for key in source if key not in PARTS]
    if strange or "train" not in source:
        found = ", ".join(map(repr, source)) or "nothing"
        raise UsageError(f'parts of data are {{"train": ..., "test": ...}}, not of {found}')
    parts = [_held(source[part], options, progress) for part in PARTS if part in source]
    raw = _raw(parts, options)
    if len(parts) > 1:
        raw.notes.append(f"the {raw.heldout:,} items of test are the held-out part")
    return raw, parts[0].kind


def numbers(x: np.ndarray | Tensor) -> np.ndarray:
    """An array or tensor of any type and device as an array."""
    if not isinstance(x, Tensor):
        return np.asarray(x)
    x = x.detach().cpu()
    return (x.float() if x.dtype == torch.bfloat16 else x).numpy()


def labels_of(y: Any, count: int) -> np.ndarray:
    """(count,) labels of any kind of sequence.  UsageError: another shape."""
    return as_labels(numbers(y), count, "y", "x")


def _held(source: Any, options: Options, progress: Progress | None) -> Held:
    if isinstance(source, np.ndarray | Tensor):
        return Held(numbers(source))
    if _is_frame(source):
        return _frame(source)
    if isinstance(source, Dataset):
        return _dataset(source, options, progress)
    if isinstance(source, tuple) and len(source) == 2:
        x, y = source
        held = _held(x, options, progress)
        if y is None:
            return held
        if held.y is not None:
            raise UsageError(
                "a Dataset whose items are (x, y) has its labels, and a pair gives others"
            )
        held.y = labels_of(y, len(held.x))
        return held if held.names is None else _with_column(held, getattr(y, "name", None))
    what = (
        f"a tuple of {len(source)}" if isinstance(source, tuple) else f"a {type(source).__name__}"
    )
    raise UsageError(f"data are {TAKEN}, not {what}")


def _raw(parts: Sequence[Held], options: Options) -> Raw:
    """Everything together, so that what is decided holds for all parts; the last of several is held out."""
    first = parts[0]
    for other in parts[1:]:
        if other.names != first.names or (other.y is None) != (first.y is None):
            raise UsageError(
                "train and test must be alike: arrays or tables of the same columns, both with labels or neither"
            )
    heldout = len(parts[-1].x) if len(parts) > 1 else 0
    if first.names is None:
        arrays = {f"{PARTS[k]}": part.x for k, part in enumerate(parts)}
        together = concatenate(arrays, first.kind)
        raw = interpret(together, first.kind, "array", value_range=options.value_range)
        raw.heldout = heldout
    else:
        rows = [row for part in parts for row in part.x]
        if first.label is not None:
            if options.label is not None:
                raise UsageError("label and the y of a pair both say what the class is: give one")
            options = replace(options, label=first.label)
        lines, notes = list(range(1, len(rows) + 1)), list[str]()
        raw = read_rows(
            "the table", "DataFrame", first.names, lines, rows, options, notes, heldout=heldout
        )
    if first.y is not None:
        raw.labels = np.concatenate([part.y for part in parts])
    return raw


def _with_column(table: Held, name: Any) -> Held:
    """A table whose labels are one more column, of a name of their own."""
    assert table.names is not None
    names = [*filter(None, [str(name or "")]), *CLASS_COLUMNS, "the class"]
    label = next(name for name in names if name not in table.names)
    rows = [[*row, str(y)] for row, y in zip(table.x, table.y.tolist(), strict=True)]
    return Held(rows, None, [*table.names, label], label, table.kind)


def _is_frame(source: Any) -> bool:
    """Whether it is a table with named columns, of pandas or alike: known by what it can do."""
    return (
        hasattr(source, "columns")
        and callable(getattr(source, "to_numpy", None))
        and len(getattr(source, "shape", ())) == 2
    )


def _frame(source: Any) -> Held:
    """The cells of a table as a file would have them, so that all that holds for files holds for it."""
    names = ["" if name is None else str(name) for name in source.columns]
    rows = [
        ["" if cell is None else str(cell).strip() for cell in row]
        for row in source.to_numpy().astype(object).tolist()
    ]
    return Held(rows, names=names, kind=TABLE)


def _dataset(source: Any, options: Options, progress: Progress | None) -> Held:
    """All items of a map-style Dataset: x, (x,) or (x, y)."""
    name = type(source).__name__
    if not hasattr(source, "__len__"):
        raise UsageError(f"{name} has no length: give a Dataset of which items are asked by number")
    xs, ys = [], []
    for index in range(len(source)):
        item = source[index]
        x, *y = item if isinstance(item, tuple | list) else (item,)
        if len(y) > 1 or isinstance(x, Mapping | str):
            kind = f"tuples of {1 + len(y)}" if len(y) > 1 else f"of type {type(x).__name__}"
            raise UsageError(
                f"items of {name} are x or (x, y), a picture or numbers and a class, not {kind}"
            )
        xs.append(_item(x, options))
        ys += [label.item() if hasattr(label, "item") else label for label in y]
        if xs[-1].shape != xs[0].shape:
            raise UsageError(
                f"items of {name} have different shapes, {xs[0].shape} and {xs[-1].shape}: bring them to one "
                f"(size and channels do that for PIL pictures)"
            )
        if progress is not None:
            progress(index + 1, len(source))
    if not xs:
        raise UsageError(f"{name} holds no items")
    if ys and len(ys) != len(xs):
        raise UsageError(
            f"{len(ys):,} of the {len(xs):,} items of {name} have a label: all need one, or none"
        )
    return Held(np.stack(xs), labels_of(np.array(ys), len(xs)) if ys else None, kind=name)


def _item(x: Any, options: Options) -> np.ndarray:
    """An array, tensor or number as it is; a PIL picture as its pixels, of the size and channels asked for."""
    from PIL import Image

    if not isinstance(x, Image.Image):
        return numbers(x)
    if options.channels is not None:
        x = convert_mode(x, options.channels, options.background)
    elif x.mode not in MODES.values():
        x = x.convert("RGBA" if x.has_transparency_data else "RGB")
    return np.asarray(x if options.sides is None else center_crop_resize(x, options.sides))
