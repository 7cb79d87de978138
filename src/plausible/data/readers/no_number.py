"""Why a table is none of numbers: the first cell that is none, and what to do."""

import re
import shlex
from collections.abc import Callable

from plausible.core.errors import UsageError
from plausible.data.readers.cells import DECIMAL_COMMA, counted, is_missing, is_number

_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2}(\.\d*)?)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([, '_’.\u00a0]\d{3})+([.,]\d*)?")
_UNIT = re.compile(r"[$€£]?\s*[+-]?\d[\d.,]*\s*\D{0,4}")


def refusal(
    file: str, header: list[str], lines: list[int], rows: list[list[str]], columns: list[int]
) -> UsageError:
    """What to say of a table whose ``columns`` are not all finite numbers.

    Names the first cell that is none by line and column, and the other columns that hold such cells.
    """
    total, (i, j) = (
        len(rows) * len(columns),
        _first(rows, columns, lambda cell: not is_number(cell)),
    )
    if i >= 0:
        place = f"{file} line {lines[i]}, column {header[j]!r}"
        return UsageError(
            f"{place}: {rows[i][j]!r} is no number{_why(header, rows, columns, i, j)}"
            f"{_also(header, rows, columns, j)}"
        )
    i, j = _first(rows, columns, _is_infinite)
    bad = [sum(_is_infinite(row[k]) for k in columns) for row in rows]
    return UsageError(
        f"{file} has {sum(bad):,} of {total:,} numbers that are NaN or infinite, in {_share(bad)}, the first in "
        f"line {lines[i]}, column {header[j]!r}: fill them in or take these rows out"
    )


def _first(
    rows: list[list[str]], columns: list[int], wrong: Callable[[str], bool]
) -> tuple[int, int]:
    """(row, column) of the first cell that is wrong; (-1, -1) where none is."""
    found = ((i, j) for i, row in enumerate(rows) for j in columns if wrong(row[j]))
    return next(found, (-1, -1))


def _share(bad: list[int]) -> str:
    return f"{sum(map(bool, bad)):,} of {counted(len(bad), 'row')}"


def _why(header: list[str], rows: list[list[str]], columns: list[int], i: int, j: int) -> str:
    """What stands in the place of a number, and what to do, as the end of a sentence."""
    cell, column = rows[i][j], [row[j] for row in rows]
    if is_missing(cell):
        missing = [sum(is_missing(row[k]) for k in columns) for row in rows]
        total = len(rows) * len(columns)
        return (
            f": {sum(missing):,} of {counted(total, 'cell')} are missing, in {_share(missing)}: fill them in, or "
            f"leave these rows out with --missing drop"
        )
    if _THOUSANDS.fullmatch(cell) and not cell.lstrip("+-").startswith("0"):
        either = " or has a decimal comma" if DECIMAL_COMMA.fullmatch(cell) else ""
        return f": it separates thousands{either}; write numbers as 1234.5"
    if DECIMAL_COMMA.fullmatch(cell):
        other = next((w for w in column if _is_word(w) and not DECIMAL_COMMA.fullmatch(w)), None)
        return (
            f": the column holds {other!r} too"
            if other
            else ": write all with a comma, or all with a point"
        )
    if _DATE.fullmatch(cell):
        return f": dates and times must be numbers, as days from the first; {_drop(header, [j])}"
    if len(header) == 1 and all(map(is_number, cell.split())):
        return ": are the columns separated by spaces? they need commas"
    if _UNIT.fullmatch(cell):
        return ": write numbers without units"
    if not _is_wordy(rows, j):
        return ""
    words = [word for word in column if _is_word(word)]
    if len(set(words)) == len(words) > 1:
        return f": the column holds another word in every row, as names of rows do; {_drop(header, [j])}"
    wordy = [k for k in columns if _is_wordy(rows, k)]
    others = ", ".join(repr(header[k]) for k in wordy if k != j)
    return (
        f": the column holds words{f', as {others}' * bool(others)}; --label {shlex.quote(header[j])} makes it the "
        f"class, {_drop(header, wordy)}"
    )


def _also(header: list[str], rows: list[list[str]], columns: list[int], j: int) -> str:
    """Which columns beside column j need a remedy, too, each with its first word, as the end of a sentence.

    Missing cells have one remedy for all, and so have columns of words where j is one.
    """
    wordy, found = _is_wordy(rows, j), []
    for k in columns:
        word = next((row[k] for row in rows if _is_word(row[k])), None)
        if k != j and word is not None and not (wordy and _is_wordy(rows, k)):
            found.append(f"{header[k]!r} ({word!r})")
    return f"; no numbers either: {', '.join(found)}" if found else ""


def _is_wordy(rows: list[list[str]], j: int) -> bool:
    """Whether column j holds words in more than half of its rows."""
    return 2 * sum(_is_word(row[j]) for row in rows) > len(rows)


def _is_word(cell: str) -> bool:
    return not (is_number(cell) or is_missing(cell))


def _drop(header: list[str], columns: list[int]) -> str:
    """How columns are left out, as the end of a sentence."""
    names = " ".join(shlex.quote(header[k]) for k in columns)
    return f"--drop {names} leaves {'it' if len(columns) == 1 else 'them'} out"


def _is_infinite(cell: str) -> bool:
    return not abs(float(cell)) < float("inf")
