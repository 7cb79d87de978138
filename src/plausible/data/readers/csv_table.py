"""Tables of numbers in text: .csv files."""

import csv
from pathlib import Path

import numpy as np

from plausible.core.errors import UsageError, unknown
from plausible.data.arrays import check_finite, vectors
from plausible.data.options import Options
from plausible.data.raw import Raw
from plausible.data.readers.reader import Progress, readers

CLASS_COLUMNS = ("label", "class", "target", "y")


@readers.by_ending(".csv", has_columns=True)
def csv_table(path: Path, options: Options, progress: Progress | None) -> Raw:
    """A .csv file of numbers with a header: every row a vector, one column perhaps the class.

    ``options.label`` is the column with the class (any words or numbers).  Without it a column called
    label, class, target or y is taken as the class if its cells are not fractions.
    UsageError: a cell that is no number (named by line and column), rows of unequal length.
    """
    notes: list[str] = []
    header, lines, rows = _cells(path, notes)
    column = _class_column(path, header, rows, options.label, notes)
    numbers = [i for i in range(len(header)) if i != column]
    if not numbers:
        raise UsageError(f"{path} has no column of numbers besides {header[column or 0]!r}")
    values = np.empty((len(rows), len(numbers)), np.float64)
    for i, row in enumerate(rows):
        try:
            values[i] = [float(row[j]) for j in numbers]
        except ValueError:
            j = next(j for j in numbers if not _is_number(row[j]))
            raise UsageError(
                f"{path} line {lines[i]}, column {header[j]!r}: {row[j]!r} is no number"
            ) from None
    check_finite(values, str(path))
    raw = vectors(values, str(path), "csv", notes)
    if column is not None:
        cells = [row[column].strip() for row in rows]
        if "" in cells:
            line = lines[cells.index("")]
            raise UsageError(f"{path} line {line}, column {header[column]!r}: the class is empty")
        raw.labels = np.array(cells)
    return raw


def _cells(path: Path, notes: list[str]) -> tuple[list[str], list[int], list[list[str]]]:
    """(header, line number of each row, rows of cells)."""
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            separator = max(",;\t", key=first.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=separator)
            for row in reader:
                if any(cell.strip() for cell in row):
                    rows.append(row)
                    lines.append(reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a table of text: {error}") from error
    if not rows:
        raise UsageError(f"{path} is empty")
    if separator != ",":
        notes.append(f"columns are separated by {'tabs' if separator == chr(9) else separator!r}")
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(rows[0]):
            raise UsageError(
                f"{path} line {line} has {len(row)} cells and line {lines[0]} {len(rows[0])}"
            )
    if _is_header(rows[0]):
        return [cell.strip() for cell in rows[0]], lines[1:], rows[1:]
    notes.append(
        "the first line is all numbers, so it is read as data and the columns are numbered"
    )
    return [str(i + 1) for i in range(len(rows[0]))], lines, rows


def _is_header(row: list[str]) -> bool:
    """A line with a word in it, or one that counts 0, 1, 2 ... as data frames do."""
    if not all(_is_number(cell) for cell in row):
        return True
    counted = [float(cell) - float(row[0]) for cell in row]
    return len(row) > 2 and float(row[0]) in (0, 1) and counted == list(range(len(row)))


def _class_column(
    path: Path, header: list[str], rows: list[list[str]], label: str | None, notes: list[str]
) -> int | None:
    if label is not None:
        if label not in header:
            raise UsageError(f"{path} has no such column: {unknown('label', label, header)}")
        return header.index(label)
    names = [name.lower() for name in header]
    for name in CLASS_COLUMNS:
        if name in names:
            column = names.index(name)
            cells = [row[column] for row in rows]
            if any(_is_number(cell) and not float(cell).is_integer() for cell in cells):
                notes.append(
                    f"column {header[column]!r} has fractions, so it is a number like others"
                )
                return None
            notes.append(
                f"column {header[column]!r} is taken as the class (--label chooses another)"
            )
            return column
    return None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
