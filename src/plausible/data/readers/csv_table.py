"""Tables of numbers in text: .csv and .tsv files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.arrays import vectors
from plausible.data.options import DEFAULTS, NO_CLASS, Options
from plausible.data.raw import Raw
from plausible.data.readers.cells import read_cells
from plausible.data.readers.column_roles import (
    CLASS_COLUMNS,
    check_class,
    class_column,
    complete_rows,
    left_out,
    named_columns,
)
from plausible.data.readers.decimal_comma import read_commas
from plausible.data.readers.header import take_header
from plausible.data.readers.no_number import refusal
from plausible.data.readers.reader import Progress, readers

_TRUTH = {"true": "1", "false": "0"}


def read_table(path: Path, options: Options = DEFAULTS, beside: Sequence[str] | None = None) -> Raw:
    """The vectors of a file, see ``csv_table``.

    beside  the columns of the data that it belongs to, where they have names: none of these is the class or
            left out, and the class may be missing, or another in each of few rows.
    """
    notes: list[str] = []
    lines, rows = read_cells(path, notes)
    read_commas(rows, notes)
    names = take_header(rows, notes, beside or ())
    lines = lines[-len(rows) :] if rows else []
    return read_rows(str(path), path.suffix[1:].lower(), names, lines, rows, options, notes, beside)


@readers.by_ending(".csv", ".tsv", beside=read_table)
def csv_table(path: Path, options: Options, progress: Progress | None) -> Raw:
    """A file of numbers, perhaps with a header: every row a vector, one column perhaps the class.

    ``options.label`` is the column with the class (any words or numbers), or "none".  Without it a name
    may say so, see ``class_column``; ``options.drop`` are left out, and so is what ``left_out`` says; what is
    taken for a header says ``take_header``.  Columns of True and False are 1 and 0, decimal commas are points.
    UsageError: a cell that is no number (named by line and column), rows of unequal length.
    """
    return read_table(path, options)


def read_rows(
    file: str,
    format: str,
    names: list[str] | None,
    lines: list[int],
    rows: list[list[str]],
    options: Options,
    notes: list[str],
    beside: Sequence[str] | None = None,
    heldout: int = 0,
) -> Raw:
    """The vectors of rows of cells, see ``read_table``.

    names  of the columns, "" where one has none; None where the table has no header.
    lines  where each of the rows stands, for sentences.
    heldout  how many of the last rows are for testing.
    """
    width = len(names or rows[0])
    header = [name or str(j + 1) for j, name in enumerate(names or [""] * width)]
    gone = named_columns(file, header, options.drop, notes, strict=beside is None)
    shown = [name for j, name in enumerate(header) if j not in gone]  # what may be the class
    label = options.label
    if beside is not None and label not in (
        *shown,
        NO_CLASS,
    ):  # by its name, if no coordinate has one like it
        label = NO_CLASS if {name.lower() for name in beside} & {*CLASS_COLUMNS} else None
    places = [j for j in range(width) if j not in gone]
    few = [[row[j] for j in places] for row in rows] if gone else rows
    found = class_column(file, shown, few, label, notes)
    column = None if found is None else places[found]
    others = [j for j in places if j != column]
    out = left_out(names, rows, others, notes, beside or ())
    numbers = [j for j in others if j not in out]
    if not numbers:
        besides = "" if column is None else f" besides {header[column]!r}"
        raise UsageError(f"{file} has no column of numbers{besides}")
    if options.missing == "drop":
        kept = complete_rows(file, header, rows, numbers, column, notes)
        heldout = sum(i >= len(rows) - heldout for i in kept)
        lines, rows = [lines[i] for i in kept], [rows[i] for i in kept]
    _read_truth(header, rows, numbers, notes)
    values = np.empty((len(rows), len(numbers)), np.float64)
    try:
        for i, row in enumerate(rows):
            values[i] = [float(row[j]) for j in numbers]
    except ValueError:
        raise refusal(file, header, lines, rows, numbers) from None
    if not np.isfinite(values).all():
        raise refusal(file, header, lines, rows, numbers)
    columns = [header[j] for j in numbers] if names else []
    raw = vectors(values, file, format, notes, columns)
    raw.heldout = heldout
    raw.left_out = {header[j]: f"left out: {why}" for j, why in out.items()}
    raw.left_out |= {header[j]: "left out by name" for j in gone}
    if column is not None:
        cells = [row[column] for row in rows]
        check_class(file, header, lines, column, cells, notes)
        raw.labels, raw.label_column = np.array(cells, str), header[column]
    return raw


def _read_truth(
    header: list[str], rows: list[list[str]], columns: list[int], notes: list[str]
) -> None:
    """Write 1 and 0 for True and False, in columns of these alone."""
    found = [j for j in columns if rows and all(row[j].lower() in _TRUTH for row in rows)]
    for row in rows:
        for j in found:
            row[j] = _TRUTH[row[j].lower()]
    if found:
        listed = ", ".join(repr(header[j]) for j in found)
        notes.append(f"True and False are 1 and 0 in {listed}")
