"""Whether the first line of a table names the columns, and what it calls them."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from plausible.data.readers.cells import is_missing, is_number

_LOOKED = 200  # lines that say what kind a column is
_LONG = 8  # numbers that count up so far do so on purpose
_CELLS = 20  # fractions below whole numbers that are no accident
_SHOWN = 4  # cells of a line in a note

AS_DATA = "the first line is all numbers, so it is read as data and the columns are numbered"


def take_header(
    rows: list[list[str]], notes: list[str], known: Sequence[str] = ()
) -> list[str] | None:
    """The names of the columns, taken off ``rows``; None where the first line is data.

    A line without a number is a header, and one that holds all ``known`` names.  Another with numbers is a
    header only where the others make that evident (``_why_header``); the notes say how it was taken.
    """
    first, rest = rows[0], rows[1:]
    if any(map(is_number, first)) and not (known and set(known) <= set(first)):
        reason = _why_header(first, rest)
        if reason is None:
            words = (
                AS_DATA
                if all(map(is_number, first))
                else AS_DATA.replace("all numbers", "like the others")
            )
            notes.append(f"{words}; a header of words says otherwise")
            return None
        shown = ", ".join(first[:_SHOWN]) + ", ..." * (len(first) > _SHOWN)
        notes.append(f"the first line ({shown}) is read as the header, because {reason}")
    del rows[0]
    return _unique([first[0].removeprefix("#").strip(), *first[1:]], notes)


def _unique(names: list[str], notes: list[str]) -> list[str]:
    """Names of which the second, third ... are numbered, as pandas does: a, a.1, a.2."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        while name and (new := f"{name}.{seen[name]}" if seen[name] else name) in unique:
            seen[name] += 1
        unique.append(new if name else "")
        seen[name] += 1
    if again := [name for name, count in Counter(names).items() if name and count > 1]:
        listed = ", ".join(map(repr, again))
        notes.append(
            f"several columns are called {listed}: the second is {again[0] + '.1'!r}, and so on"
        )
    return unique


def _why_header(first: list[str], rest: list[list[str]]) -> str | None:
    """What shows that a line with numbers in it names the columns below; None where nothing does.

    * a word stands above numbers, or above words that repeat and are never this one;
    * its numbers tell it, see ``_why_names``.
    """
    few = rest[:_LOOKED]
    words = [j for j, cell in enumerate(first) if not is_number(cell) and not is_missing(cell)]
    numbers = [j for j, cell in enumerate(first) if is_number(cell) and not is_missing(cell)]
    for j in words:
        if few and all(is_number(row[j]) or is_missing(row[j]) for row in few):
            return f"{first[j]!r} stands above numbers"
    if any(first[j] == row[j] for j in words for row in rest):
        return None
    for j in words:
        if len({row[j] for row in few}) < len(few):
            return f"{first[j]!r} occurs nowhere else in its column"
    names = [first[j] for j in numbers]
    below = [[row[j] for j in numbers] for row in rest]
    if first[0] == "" and _counts(names):
        return "it counts and begins with an empty cell"
    if words and len(names) > 1 and _increases(names):
        return "its numbers are whole and increase"
    return _why_names(names, below)


def _why_names(names: list[str], rest: list[list[str]]) -> str | None:
    """What shows that numbers are names of the columns of numbers below; None where nothing does.

    They are whole and increase, and below all are fractions; or they count from 0 or 1, which is no
    accident where it goes far; or they count from 0, as data frames do, and one of them lies further
    from the rest of its column than that is wide, or is whole above fractions alone.
    """
    if not rest or not _increases(names):
        return None
    counts, cells = _counts(names), len(rest) * len(names)
    enough = cells >= _CELLS or (counts and names[0] == "0")
    if enough and (len(names) > 1 or names == ["0"]) and _all_fractions(rest):
        return "its numbers are whole and increase, and all below have fractions"
    if not counts or len(names) < 3:
        return None
    if len(names) >= _LONG and not _is_run(rest[0]):
        return f"it counts {names[0]} to {names[-1]}"
    if names[0] == "0":
        for j, name in enumerate(names):
            column = [row[j] for row in rest]
            if _all_fractions([column]) or _is_apart(float(name), column):
                return f"it counts, and {name} is unlike what column {j + 1} holds"
    return None


def _increases(names: list[str]) -> bool:
    """Whole numbers in plain digits, each larger than the one before."""
    whole = all(re.fullmatch(r"0|[1-9]\d*", name) for name in names)
    return whole and all(int(a) < int(b) for a, b in pairwise(names))


def _counts(names: list[str]) -> bool:
    """0, 1, 2, ... or 1, 2, 3, ..."""
    return names[:1] in (["0"], ["1"]) and names == [
        str(int(names[0]) + k) for k in range(len(names))
    ]


def _is_run(row: list[str]) -> bool:
    """Numbers that follow each other, in any order."""
    numbers = sorted(float(cell) for cell in row if is_number(cell))
    return all(b - a == 1 for a, b in pairwise(numbers))


def _all_fractions(rows: list[list[str]]) -> bool:
    """Whether all are written as numbers that need not be whole."""
    return all(
        is_missing(cell) or (is_number(cell) and any(mark in cell for mark in ".eE"))
        for row in rows
        for cell in row
    )


def _is_apart(value: float, column: list[str]) -> bool:
    """Further from all numbers of a column than these from each other."""
    numbers = [float(cell) for cell in column if is_number(cell) and not is_missing(cell)]
    if not numbers:
        return False
    low, high = min(numbers), max(numbers)
    distance = max(low - value, value - high)
    return distance > 0 and distance >= high - low
