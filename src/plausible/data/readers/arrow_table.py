"""A table of Apache Arrow, as parquet files and data sets of the hub hold them: one column of pictures, or numbers.

What is decided about columns of numbers is decided by ``csv_table.read_rows``, as for any other table.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from plausible.core.errors import UsageError, unknown
from plausible.data.image_files import ImageFiles
from plausible.data.images import SUFFIXES
from plausible.data.limits import check_limit
from plausible.data.options import NO_CLASS, Options
from plausible.data.raw import Raw, first_line
from plausible.data.readers.column_roles import (
    CLASS_COLUMNS,
    check_class,
    class_column,
    complete_rows,
    named_columns,
)
from plausible.data.readers.csv_table import read_rows
from plausible.data.readers.image_folder import read_pictures
from plausible.data.readers.reader import Progress

_LISTED = 8  # columns in a sentence
_NO_LABEL = -1  # what the hub writes where a class is not known


@dataclass(frozen=True)
class ArrowTable:
    """Rows of several files, or of a data set, in an order.

    name     what sentences call it.
    schema   of all rows, a ``pyarrow.Schema``.
    rows     how many there are.
    batches  of these columns from the first row to the last, each a ``pyarrow.RecordBatch`` or ``pyarrow.Table``.
    format   what the survey calls it.
    heldout  how many of the last rows are for testing.
    notes    on what was put together.
    left_out  {ending: files} beside those that are read.
    check    called with the bytes of the pictures so far; UsageError where they are too many.
    """

    name: Path
    schema: Any
    rows: int
    batches: Callable[[Sequence[str]], Iterator[Any]]
    format: str
    heldout: int = 0
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    check: Callable[[int], None] = lambda taken: None

    @property
    def columns(self) -> list[str]:
        """The names of all columns."""
        return list(self.schema.names)


def pyarrow(name: object) -> Any:
    """The package.  UsageError: it is not installed, and ``name`` is what is read with it."""
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ModuleNotFoundError:
        raise UsageError(
            f"{name} is read with the package pyarrow: pip install 'plausible[parquet]'"
        ) from None


def read_arrow(
    table: ArrowTable,
    options: Options,
    progress: Progress | None = None,
    beside: Sequence[str] | None = None,
) -> Raw:
    """The pictures or the vectors of a table; ``beside`` as in ``csv_table.read_table``.

    UsageError: several columns of pictures; a cell that is neither a number nor a picture.
    """
    notes = list(table.notes)
    with open_arrow(table, options, notes, True, beside) as files:
        if files is not None:
            return read_pictures(files, notes, options, progress)
    return _numbers(table, options, beside)


@contextmanager
def open_arrow(
    table: ArrowTable,
    options: Options,
    notes: list[str],
    labelled: bool,
    beside: Sequence[str] | None = None,
) -> Iterator[ImageFiles | None]:
    """The pictures of a table as files, for a while, if ``labelled`` with their classes; None where it has none."""
    pictures = _picture_columns(table, options)
    if not pictures:
        yield None
        return
    if len(pictures) > 1:
        raise UsageError(
            f"{table.name} has {len(pictures)} columns of pictures, {_listed(pictures)}: --drop leaves all but one out"
        )
    with TemporaryDirectory(prefix="plausible-") as folder:
        files = ImageFiles(Path(folder), table.name)
        rows, labels = _classes(table, pictures[0], options, notes, labelled, beside)
        _write_pictures(table, pictures[0], rows, labels, files)
        files.left_out.update(table.left_out)
        yield files


def _picture_columns(table: ArrowTable, options: Options) -> list[str]:
    """Columns of bytes, or of what the hub packs a picture as: bytes and a path."""
    types = import_module("pyarrow").types
    found = []
    for column in table.schema:
        kind = column.type
        if types.is_struct(kind):
            parts = [kind.field(k) for k in range(kind.num_fields)]
            kind = next((part.type for part in parts if part.name == "bytes"), kind)
        binary = types.is_binary(kind) or types.is_large_binary(kind)
        if binary and column.name not in options.drop:
            found.append(column.name)
    return found


def _classes(
    table: ArrowTable,
    picture: str,
    options: Options,
    notes: list[str],
    labelled: bool,
    beside: Sequence[str] | None,
) -> tuple[list[int], list[str] | None]:
    """(the rows that are read, the class of each or None); the notes say which column it is and what else there is."""
    file, header, every = str(table.name), table.columns, list(range(table.rows))
    gone = named_columns(file, header, options.drop, notes, strict=labelled and beside is None)
    shown = [name for j, name in enumerate(header) if j not in gone]
    asked = _asked_class(table, shown, options.label, notes)
    if not labelled or (beside is not None and asked not in (*shown, NO_CLASS, None)):
        return every, None
    if asked not in (*shown, NO_CLASS, None):
        raise UsageError(f"{file} has no such column: {unknown('label', asked, shown)}")
    if asked in shown and (asked == picture or _is_nested(table, asked)):
        raise UsageError(f"{file}: column {asked!r} holds no numbers or words, so it is no class")
    may_be = [n for n in shown if n == asked or n.lower() in CLASS_COLUMNS]
    cells = _cells(table, [n for n in may_be if n != picture and not _is_nested(table, n)])
    few, rows = ["", *cells], [["", *row] for row in zip(*cells.values(), strict=True)]
    column = class_column(file, few, rows, asked, notes)
    taken = picture if column is None else few[column]
    others = [name for name in shown if name not in (picture, taken)]
    if others:
        notes.append(f"beside the pictures, columns that are left out: {_listed(others)}")
    if column is None:
        return every, None
    kept = every
    if options.missing == "drop":
        kept = complete_rows(file, few, rows, [], column, notes)
    labels = [rows[i][column] for i in kept]
    check_class(file, few, [i + 1 for i in kept], column, labels, notes)
    return kept, labels


def _write_pictures(
    table: ArrowTable,
    column: str,
    rows: Sequence[int],
    labels: Sequence[str] | None,
    files: ImageFiles,
) -> None:
    """Write the picture of each of these rows to a file, as its own bytes; cells without one are named as unreadable."""
    check_limit("files", len(rows), table.name)
    wanted = {row: None if labels is None else labels[k] for k, row in enumerate(rows)}
    width, first_test = len(str(table.rows)), table.rows - table.heldout
    kept: list[str | None] = []
    tested = set()
    taken = 0
    for row, cell in enumerate(_values(table, column)):
        if row not in wanted:
            continue
        content, name = (
            (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, "")
        )
        ending = Path(str(name)).suffix.lower()
        path = files.root / f"{row + 1:0{width}}{ending if ending in SUFFIXES else ''}"
        if not content:
            why = "only a path, and no bytes" if name else "an empty cell"
            files.unreadable.append((path.name, why))
            continue
        taken += len(content)
        table.check(taken)
        path.write_bytes(content)
        files.paths.append(path)
        kept.append(wanted[row])
        if row >= first_test:
            tested.add(path)
    files.tested = frozenset(tested)
    files.labels = None if labels is None else [label or "" for label in kept]
    if not files.paths:
        raise UsageError(f"{table.name} holds no picture in its column {column!r}: {files.named()}")


def _numbers(table: ArrowTable, options: Options, beside: Sequence[str] | None) -> Raw:
    """The vectors of a table without pictures.  UsageError: a column that holds neither numbers nor words."""
    notes, header = list(table.notes), table.columns
    check_limit("columns", len(header), table.name)
    index = [
        name
        for name in _index_columns(table)
        if name not in (*options.drop, *(beside or ()), options.label)
    ]
    for name in index:
        notes.append(
            f"column {name!r} is the index of the rows that pandas wrote, so it is left out"
        )
    kept = [name for name in header if name not in (*options.drop, *index)]
    if nested := [name for name in kept if _is_nested(table, name)]:
        raise UsageError(
            f"{table.name}: column {nested[0]!r} holds {table.schema.field(nested[0]).type}, and a cell of a table is "
            f"one number: --drop leaves it out; pixels in lists are read from a .npy of shape (N, height, width)"
        )
    label = options.label
    if beside is None:
        label = _asked_class(table, kept, label, notes)
    cells, empty = _cells(table, kept), [""] * table.rows
    columns = [name for name in header if name not in index]
    rows = [list(row) for row in zip(*(cells.get(name, empty) for name in columns), strict=True)]
    lines = list(range(1, len(rows) + 1))
    if not rows:
        raise UsageError(f"{table.name} is empty")
    raw = read_rows(
        str(table.name), table.format, columns, lines, rows, replace(options, label=label), notes, beside, table.heldout
    )  # fmt: skip
    if raw.heldout:
        raw.notes.append(f"the {raw.heldout:,} rows of the test files are the held-out part")
    raw.left_out |= dict.fromkeys(index, "left out: the index of the rows")
    raw.ignored.update(table.left_out)
    return raw


def _asked_class(
    table: ArrowTable, header: Sequence[str], label: str | None, notes: list[str]
) -> str | None:
    """The column that --label names, or else the only one that the hub calls one of classes, if no name says class."""
    classes = [name for name in header if name in _class_names(table)]
    if label is not None or not classes or any(name.lower() in CLASS_COLUMNS for name in header):
        return label
    if len(classes) > 1:
        notes.append(f"the columns {_listed(classes)} hold classes: --label chooses one of them")
        return None
    notes.append(f"column {classes[0]!r} is taken as the class (--label {NO_CLASS}: there is none)")
    return classes[0]


def _cells(table: ArrowTable, names: Sequence[str]) -> dict[str, list[str]]:
    """{column: its cells as text}, "" where there is none; numbers of classes by the names that the hub has for them."""
    known = _class_names(table)
    found: dict[str, list[str]] = {name: [] for name in names}
    for batch in table.batches(names) if names else ():
        for k, name in enumerate(names):
            words = known.get(name, [])
            cells = _unpacked(table, name, batch.column(k))
            found[name] += [_word(value, words) for value in cells]
    return found


def _word(value: Any, classes: Sequence[str]) -> str:
    if value is None:
        return ""
    if classes and isinstance(value, int):
        return "" if value == _NO_LABEL else classes[value] if 0 <= value < len(classes) else str(value)  # fmt: skip
    return str(value).strip()


def _values(table: ArrowTable, column: str) -> Iterator[Any]:
    """What each row has in a column."""
    for batch in table.batches([column]):
        yield from _unpacked(table, column, batch.column(0))


def _unpacked(table: ArrowTable, column: str, cells: Any) -> list[Any]:
    """Some cells of a column.  UsageError: one is damaged, as a word that is no UTF-8, at which pyarrow has not looked."""
    try:
        return list(cells.to_pylist())
    except Exception as error:  # of the package's own kinds
        raise UsageError(
            f"{table.name} is damaged in its column {column!r}: {first_line(error)}"
        ) from error


def _class_names(table: ArrowTable) -> dict[str, list[str]]:
    """{column: names of its classes} that the hub says in the metadata of a schema."""
    features = _said(table, b"huggingface").get("info", {})
    features = features.get("features", {}) if isinstance(features, dict) else {}
    features = features if isinstance(features, dict) else {}
    found = {}
    for name, about in features.items():
        names = about.get("names") if isinstance(about, dict) else None
        if isinstance(names, list) and about.get("_type") == "ClassLabel":
            found[name] = [str(each) for each in names]
    return found


def _index_columns(table: ArrowTable) -> list[str]:
    """The columns in which pandas wrote the index of its rows."""
    index = _said(table, b"pandas").get("index_columns")
    named = [each for each in index if isinstance(each, str)] if isinstance(index, list) else []
    return [name for name in named if name in table.columns]


def _said(table: ArrowTable, key: bytes) -> dict[str, Any]:
    """What the metadata of a schema have under a key; nothing where that is no JSON."""
    try:
        content = json.loads((table.schema.metadata or {}).get(key, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _is_nested(table: ArrowTable, name: str) -> bool:
    """Whether a cell of a column is no single number or word."""
    types, kind = import_module("pyarrow").types, table.schema.field(name).type
    return bool(
        types.is_nested(kind) or isinstance(kind, import_module("pyarrow").BaseExtensionType)
    )


def _listed(names: Sequence[str]) -> str:
    more = f", ... ({len(names)} in all)" * (len(names) > _LISTED)
    return ", ".join(map(repr, names[:_LISTED])) + more
