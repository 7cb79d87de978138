"""What the columns of a table are: the class, numbers of the rows, nothing at all, or a coordinate."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from plausible.core.errors import UsageError, unknown
from plausible.data.options import NO_CLASS
from plausible.data.readers.cells import counted, is_missing, is_number

CLASS_COLUMNS = ("label", "class", "target", "y")
ROW_COLUMNS = frozenset(("id", "index", "row", "rownames", "row_names", "row.names", "level_0"))
_TOLD = 10  # rows below which values say nothing about a column: its name decides
_EACH = 3  # items a class on average that numbers need to be taken for classes

Rows = list[list[str]]


def class_column(
    path: Path, header: list[str], rows: Rows, label: str | None, notes: list[str]
) -> int | None:
    """The column with the class: the one called ``label``, or else one with a name that says so.

    Names are label, class, target and y.  Fractions are no classes.  Whole numbers called target or y are
    classes where each occurs at least twice and they occur three times on average, a column is left beside
    them, and y has no x beside it; with fewer than ten rows the name decides.
    The label "none", where no column is called so, says that there is no class.
    UsageError: no such column.
    """
    if label is not None:
        if label not in header and label == NO_CLASS:
            return None
        if label not in header:
            raise UsageError(f"{path} has no such column: {unknown('label', label, header)}")
        if label == NO_CLASS:
            notes.append(f"column {label!r} is taken as the class")
        return header.index(label)
    named = [k for name in CLASS_COLUMNS for k, word in enumerate(header) if word.lower() == name]
    for column in named:
        name = header[column]
        reason = _why_number(header, column, [row[column] for row in rows])
        if reason is None:
            notes.append(
                f"column {name!r} is taken as the class (--label chooses another; --label {NO_CLASS}: there is none)"
            )
            notes += [
                f"column {header[k]!r} is called like a class, too, and stays a number"
                for k in named[named.index(column) + 1 :]
            ]
            return column
        notes.append(f"column {name!r} {reason}, so it is a number like others")
        if "fractions" not in reason and len(header) > 1:
            notes[-1] += f" (--label {name} makes it the class)"
    return None


def check_class(
    path: Path, header: list[str], lines: list[int], column: int, cells: list[str], notes: list[str]
) -> None:
    """UsageError where a row has no class: an empty cell, or one that says so among numbers."""
    missing = [k for k, cell in enumerate(cells) if is_missing(cell)]
    words = [cell for cell in cells if not is_missing(cell) and not is_number(cell)]
    if words and "" not in cells:
        if missing:
            found = ", ".join(sorted({repr(cells[k]) for k in missing}))
            notes.append(
                f"{found} in column {header[column]!r} is a class like others ({counted(len(missing), 'row')})"
            )
        return
    if missing:
        first = next((k for k in missing if cells[k] == ""), missing[0])
        kind = "empty" if cells[first] == "" else f"missing ({cells[first]!r})"
        more = f", and in {counted(len(missing) - 1, 'other row')}" if len(missing) > 1 else ""
        raise UsageError(
            f"{path} line {lines[first]}, column {header[column]!r}: the class is {kind}{more}"
        )


def left_out(
    header: list[str] | None,
    rows: Rows,
    others: list[int],
    notes: list[str],
    beside: Sequence[str] = (),
) -> list[int]:
    """Which of the ``others``, columns that are not the class, are no coordinates; the notes say why.

    Those without any value.  Numbers or names of the rows: the first column if it has no name (and holds
    whole numbers or words), "Unnamed: 0", and those called id, index, ... that differ from row to row.
    None of ``beside``, which are coordinates of the data that the table belongs to.
    """
    if not rows:
        return []
    open_to = [j for j in others if not header or header[j] not in beside]
    names = header or [""] * len(rows[0])
    empty = [j for j in open_to if all(is_missing(row[j]) for row in rows)]
    for j in empty:
        notes.append(f"column {names[j] or j + 1!r} is empty in every row, so it is left out")
    filled = [j for j in others if j not in empty]
    found = [j for j in filled if j in open_to and header and _numbers_rows(j, header[j], rows)]
    if len(found) == len(filled):  # then it is all there is
        found = []
    for j in found:
        called = f"column {names[j]!r}" if names[j] else f"column {j + 1}, which has no name,"
        kind = "numbers" if all(is_number(row[j]) for row in rows) else "names"
        notes.append(
            f"{called} holds {kind} of the rows, so it is left out; give it another name to keep it"
        )
    kept = [j for j in filled if j not in found]
    if nameless := [str(j + 1) for j in kept if header and not header[j]]:
        notes.append(
            f"without a name in the header, called by their place: column {', '.join(nameless)}"
        )
    if len(kept) > 1 and len(rows) >= _TOLD and _count_on([row[kept[0]] for row in rows]):
        notes.append(
            f"column {names[kept[0]] or str(kept[0] + 1)!r} counts from row to row: if it only numbers them, take it out of the file"
        )
    return [*empty, *found]


def _why_number(header: list[str], column: int, cells: list[str]) -> str | None:
    """Why a column whose name says class is none; None where it is one."""
    cells = [cell for cell in cells if not is_missing(cell)]
    if not all(map(is_number, cells)):
        return None
    if not all(float(cell).is_integer() for cell in cells):
        return "has fractions"
    name = header[column].lower()
    if name == "y" and "x" in [word.lower() for word in header]:
        return "stands beside 'x'"
    if len(cells) < _TOLD:
        return None
    if len(header) == 1:
        return "is the only one"
    counts = Counter(map(float, cells))
    if name in ("target", "y") and (min(counts.values()) < 2 or len(cells) < _EACH * len(counts)):
        return f"has {len(counts):,} different values in {len(cells):,} rows"
    return None


def _numbers_rows(place: int, name: str, rows: Rows) -> bool:
    """Whether a column called so numbers or names the rows."""
    known, written = name.lower() in ROW_COLUMNS, re.fullmatch(r"Unnamed: \d+(\.\d+)*", name)
    if not (known or written or (place == 0 and name == "")):
        return False
    cells = [row[place] for row in rows]
    whole = all(re.fullmatch(r"-?\d+(\.0*)?", cell) for cell in cells)
    words = not any(is_number(cell) or is_missing(cell) for cell in cells)
    return (whole or words) and (not known or len(set(cells)) == len(cells))


def _count_on(cells: list[str]) -> bool:
    """n, n + 1, n + 2, ... from 0 or 1."""
    return cells[0] in ("0", "1") and all(
        cell == str(int(cells[0]) + k) for k, cell in enumerate(cells)
    )
