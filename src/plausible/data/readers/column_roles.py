"""What the columns of a table are: the class, numbers of the rows, nothing at all, or a coordinate."""

import re
import shlex
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from plausible.core.errors import UsageError, unknown
from plausible.data.options import NO_CLASS
from plausible.data.readers.cells import counted, is_missing, is_number

CLASS_COLUMNS = ("label", "class", "target", "y")
ROW_COLUMNS = frozenset(("id", "index", "row", "rownames", "row_names", "row.names", "level_0"))
_NAMED = 5  # columns in a sentence
_TOLD = 10  # rows below which values say nothing about a column: its name decides
_COUNTS = "counts the rows"
_EACH = 3  # items a class on average that numbers need to be taken for classes

Rows = list[list[str]]


def class_column(
    file: str, header: list[str], rows: Rows, label: str | None, notes: list[str]
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
            raise UsageError(f"{file} has no such column: {unknown('label', label, header)}")
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


def named_columns(
    file: str, header: list[str], names: Sequence[str], notes: list[str], strict: bool
) -> list[int]:
    """The columns that are to be left out by name.  UsageError, if ``strict``: no such column."""
    if strict and (strange := [name for name in names if name not in header]):
        raise UsageError(
            f"--drop: {file} has no such column: {unknown('column', strange[0], header)}"
        )
    found = [j for j, name in enumerate(header) if name in names]
    if found:
        listed = ", ".join(repr(header[j]) for j in found)
        notes.append(f"left out by name: {listed}")
    return found


def complete_rows(
    file: str,
    header: list[str],
    rows: Rows,
    numbers: Sequence[int],
    column: int | None,
    notes: list[str],
) -> list[int]:
    """Which rows have a value in each of these columns, and a class; the notes count the others.

    Where classes are words only an empty cell is none: NA, none and the like are words too.
    UsageError: no row has.
    """
    gaps = Counter({j: 0 for j in numbers})
    words = column is not None and any(
        not is_missing(row[column]) and not is_number(row[column]) for row in rows
    )
    kept = []
    for i, row in enumerate(rows):
        missing = [j for j in numbers if is_missing(row[j])]
        if column is not None and (row[column] == "" if words else is_missing(row[column])):
            missing.append(column)
        gaps.update(missing)
        if not missing:
            kept.append(i)
    counts = [f"{header[j]!r} {n:,}" for j, n in gaps.most_common(_NAMED) if n]
    where = ", ".join(counts) + ", ..." * (sum(n > 0 for n in gaps.values()) > len(counts))
    if rows and not kept:
        raise UsageError(
            f"{file}: no row is without a missing cell ({where}): --drop leaves the worst columns out"
        )
    if len(kept) < len(rows):
        notes.append(
            f"{len(rows) - len(kept):,} of {counted(len(rows), 'row')} have a missing cell and are dropped "
            f"(missing in {where})"
        )
    return kept


def check_class(
    file: str, header: list[str], lines: list[int], column: int, cells: list[str], notes: list[str]
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
            f"{file} line {lines[first]}, column {header[column]!r}: the class is {kind}{more}; --missing drop "
            f"leaves such rows out where data are read"
        )


def left_out(
    header: list[str] | None,
    rows: Rows,
    others: list[int],
    notes: list[str],
    beside: Sequence[str] = (),
) -> dict[int, str]:
    """{column: why} of the ``others``, columns that are not the class, that are no coordinates; the notes say so.

    Those without any value.  Numbers or names of the rows: the first column if it has no name (and holds
    whole numbers or words), "Unnamed: 0", and those called id, index, ... that differ from row to row; and
    any column that counts the rows, 0, 1, 2, ... or 1, 2, 3, ... from the first to the last.
    None of ``beside``, which are coordinates of the data that the table belongs to.
    """
    if not rows:
        return {}
    open_to = [j for j in others if not header or header[j] not in beside]
    names = header or [""] * len(rows[0])
    empty = {j: "empty in every row" for j in open_to if all(is_missing(row[j]) for row in rows)}
    for j in empty:
        notes.append(f"column {names[j] or j + 1!r} is empty in every row, so it is left out")
    filled = [j for j in others if j not in empty]
    found = {j: why for j in filled if j in open_to and (why := _of_rows(j, header, rows))}
    if len(found) == len(filled):  # then it is all there is
        found = {}
    for j, why in found.items():
        called = f"column {names[j]!r}" if names[j] else f"column {j + 1}, which has no name,"
        keep = "shuffle the rows" if why == _COUNTS else "give it another name"
        notes.append(f"{called} {why}, so it is left out; {keep} to keep it")
    kept = [j for j in filled if j not in found]
    if nameless := [str(j + 1) for j in kept if header and not header[j]]:
        notes.append(
            f"without a name in the header, called by their place: column {', '.join(nameless)}"
        )
    for j in kept if len(kept) > 1 and len(rows) >= _TOLD else ():
        if _rises([row[j] for row in rows]):
            name = names[j] or str(j + 1)
            notes.append(
                f"column {name!r} holds whole numbers that rise from row to row: if it only numbers the rows, leave "
                f"it out with --drop {shlex.quote(name)}"
            )
    return empty | found


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


def _of_rows(place: int, header: list[str] | None, rows: Rows) -> str | None:
    """What a column says of the rows, by its name or because it counts them; None where it is of the items."""
    cells = [row[place] for row in rows]
    name = header[place] if header else None
    known = name is not None and name.lower() in ROW_COLUMNS
    written = name is not None and re.fullmatch(r"Unnamed: \d+(\.\d+)*", name)
    if known or written or (place == 0 and name == ""):
        whole = all(re.fullmatch(r"-?\d+(\.0*)?", cell) for cell in cells)
        words = not any(is_number(cell) or is_missing(cell) for cell in cells)
        if (whole or words) and (not known or len(set(cells)) == len(cells)):
            return f"holds {'names' if words else 'numbers'} of the rows"
    return _COUNTS if len(rows) >= _TOLD and _count_on(cells) else None


def _count_on(cells: list[str]) -> bool:
    """n, n + 1, n + 2, ... from 0 or 1."""
    return cells[0] in ("0", "1") and all(
        cell == str(int(cells[0]) + k) for k, cell in enumerate(cells)
    )


def _rises(cells: list[str]) -> bool:
    """Whole numbers, each larger than the one before."""
    whole = all(re.fullmatch(r"-?\d+(\.0*)?", cell) for cell in cells)
    return whole and all(float(a) < float(b) for a, b in pairwise(cells))
