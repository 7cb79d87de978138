"""A file of text -> rows of cells, all as long as the first."""

import codecs
import csv
import re
from itertools import islice
from pathlib import Path
from typing import TextIO

from plausible.core.errors import UsageError
from plausible.data.limits import check_limit

SEPARATORS = ",;\t"
MISSING = frozenset(  # as programs write it
    ("", "na", "n/a", "nan", "<na>", "nat", "null", "none", "?", "-", ".")
)
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_STRETCH = 2**20  # characters in which a first line ends
_TRIED = 20  # lines that decide on the separator


def read_cells(path: Path, notes: list[str]) -> tuple[list[int], list[list[str]]]:
    """(the line of each row, rows of stripped cells), the first of them perhaps a header.

    The text is UTF-8, or UTF-16 that says so in its first bytes.  The separator is the one that makes most
    cells numbers, and of a .tsv file a tab.  Lines without any value are left out, and
    what ends in one separator more loses it; the notes say so.
    UsageError: no text, no line, rows of unequal length.
    """
    check_limit("text", path.stat().st_size / 2**30, path)
    lines: list[int] = []
    rows: list[list[str]] = []
    blank = 0
    try:
        with path.open(encoding=_encoding(path), newline="") as file:
            tabs = path.suffix.lower() == ".tsv"
            _check_first(path, file)
            separator = "\t" if tabs else _separator(list(islice(file, _TRIED)))
            file.seek(0)
            reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
            for row in reader:
                if any(cells := [cell.strip() for cell in row]):
                    rows.append(cells)
                    lines.append(reader.line_num)
                elif len(row) > 1:
                    blank += 1
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} cannot be read as a table of text: {error}; save it as UTF-8"
        ) from error
    except (OSError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a table of text: {error}") from error
    if not rows:
        raise UsageError(f"{path} is empty")
    if separator != "," and not tabs:
        notes.append(f"columns are separated by {'tabs' if separator == chr(9) else separator!r}")
    if blank:
        notes.append(f"{counted(blank, 'line')} of nothing but empty cells left out")
    _make_even(path, lines, rows, separator, notes)
    return lines, rows


def is_number(cell: str) -> bool:
    """Whether Python reads it as a number, NaN and infinite ones included."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_missing(cell: str) -> bool:
    """Whether it is what programs write where there is no value."""
    return cell.lower() in MISSING


def counted(number: int, noun: str) -> str:
    """1 row, 2 rows, 1,000 rows."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _check_first(path: Path, file: TextIO) -> None:
    """UsageError: a first line that no table has."""
    start = file.read(_STRETCH)
    if "\0" in start:
        raise UsageError(f"{path} is no text: it holds zero bytes")
    line = start.partition("\n")[0]
    check_limit("columns", 1 + max(map(line.count, SEPARATORS)), path)
    file.seek(0)


def _encoding(path: Path) -> str:
    """UTF-16 where the first bytes say so, as spreadsheets write it, and otherwise UTF-8."""
    with path.open("rb") as file:
        marked = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return "utf-16" if marked else "utf-8-sig"


def _separator(lines: list[str]) -> str:
    """The one that makes most cells numbers, with a decimal comma too; of equal ones that of most columns."""
    return max(SEPARATORS, key=lambda separator: _readable(lines, separator))


def _readable(lines: list[str], separator: str) -> tuple[float, int]:
    """(share of the cells that are numbers, columns of the first line)."""
    rows = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
    found = [
        is_number(cell) or (len(row) > 1 and bool(DECIMAL_COMMA.fullmatch(cell.strip())))
        for row in rows
        for cell in row
        if cell.strip()
    ]
    return sum(found) / max(len(found), 1), len(rows[0]) if rows else 0


def _make_even(
    path: Path, lines: list[int], rows: list[list[str]], separator: str, notes: list[str]
) -> None:
    """Bring all rows to one length where nothing is lost by it."""
    first, others = rows[0], rows[1:]
    width = max(map(len, others), default=len(first))
    ended = sum(_shorten(row, len(first)) for row in others)
    if all(len(row) < len(first) for row in others):
        ended += _shorten(first, max(map(len, others), default=len(first)))
    if ended:
        notes.append(
            f"what stands behind the last separator of {counted(ended, 'line')} is empty and left out"
        )
    elif (
        len(first) > 1
        and not any(map(is_number, first))
        and {len(first) + 1} == set(map(len, others))
    ):
        first.insert(0, "")  # as R writes the names of rows
        notes.append("the header has one name fewer than there are columns, so the first has none")
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(first):
            sentence = f"{path} line {line} has {len(row)} cells and line {lines[0]} {len(first)}"
            if separator == "," and width == 2 * len(first):
                sentence += "; are there decimal commas? separate the columns by ; or tabs"
            raise UsageError(sentence)


def _shorten(row: list[str], width: int) -> bool:
    """Whether it was longer, by empty cells that are taken away."""
    longer = len(row) > width and not any(row[width:])
    if longer:
        del row[width:]
    return longer
