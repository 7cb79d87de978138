"""Tables of numbers in text: .csv files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.arrays import vectors
from plausible.data.options import NO_CLASS, Options
from plausible.data.raw import Raw
from plausible.data.readers.cells import read_cells
from plausible.data.readers.column_roles import CLASS_COLUMNS, check_class, class_column, left_out
from plausible.data.readers.header import take_header
from plausible.data.readers.no_number import refusal
from plausible.data.readers.reader import Progress, readers

_TRUTH = {"true": "1", "false": "0"}


@readers.by_ending(".csv", has_columns=True)
def csv_table(path: Path, options: Options, progress: Progress | None) -> Raw:
    """A .csv file of numbers, perhaps with a header: every row a vector, one column perhaps the class.

    ``options.label`` is the column with the class (any words or numbers), or "none".  Without it a name
    may say so, see ``class_column``; which columns are left out says ``left_out``, and what is taken for a
    header ``take_header``.  Columns of True and False are 1 and 0.
    UsageError: a cell that is no number (named by line and column), rows of unequal length.
    """
    return read_table(path, options.label)


def read_table(path: Path, label: str | None, beside: Sequence[str] | None = None) -> Raw:
    """A table whose class is called ``label``, see ``csv_table``.

    beside  the columns of the data that it belongs to, where they have names: none of these is the class or
            left out, and the class may be missing, or another in each of few rows.
    """
    notes: list[str] = []
    lines, rows = read_cells(path, notes)
    names = take_header(rows, notes, beside or ())
    lines = lines[-len(rows) :] if rows else []
    width = len(names or rows[0])
    header = [name or str(j + 1) for j, name in enumerate(names or [""] * width)]
    if beside is not None and label not in (
        *header,
        NO_CLASS,
    ):  # by its name, if no coordinate has one like it
        label = NO_CLASS if {name.lower() for name in beside} & {*CLASS_COLUMNS} else None
    column = class_column(path, header, rows, label, notes)
    others = [j for j in range(width) if j != column]
    out = left_out(names, rows, others, notes, beside or ())
    numbers = [j for j in others if j not in out]
    if not numbers:
        raise UsageError(f"{path} has no column of numbers besides {header[column or 0]!r}")
    _read_truth(header, rows, numbers, notes)
    values = np.empty((len(rows), len(numbers)), np.float64)
    try:
        for i, row in enumerate(rows):
            values[i] = [float(row[j]) for j in numbers]
    except ValueError:
        raise refusal(path, header, lines, rows, numbers) from None
    if not np.isfinite(values).all():
        raise refusal(path, header, lines, rows, numbers)
    columns = [header[j] for j in numbers] if names else []
    raw = vectors(values, str(path), "csv", notes, columns)
    if column is not None:
        cells = [row[column] for row in rows]
        check_class(path, header, lines, column, cells, notes)
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
