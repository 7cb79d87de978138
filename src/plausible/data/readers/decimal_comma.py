"""Numbers as many countries write them: 1,5 for 1.5."""

import re

from plausible.data.readers.cells import DECIMAL_COMMA, is_missing, is_number

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # which a decimal comma may look like
_NAMED = 5  # columns in a note


def read_commas(rows: list[list[str]], notes: list[str]) -> None:
    """Write points for decimal commas, in place, in columns that hold nothing but numbers; the notes say where.

    A column that has points too stays as it is, and so does a file in which every comma may separate thousands
    ("1,234"): it is refused as no numbers.
    """
    found = [j for j in range(len(rows[0])) if _has_commas([row[j] for row in rows[1:]])]
    written = [row[j] for row in rows for j in found if DECIMAL_COMMA.fullmatch(row[j])]
    if all(_THOUSANDS.fullmatch(cell) for cell in written):
        return
    for row in rows:
        for j in found:
            if DECIMAL_COMMA.fullmatch(row[j]):
                row[j] = row[j].replace(",", ".")
    names = [
        str(j + 1) if is_number(rows[0][j]) or not rows[0][j] else repr(rows[0][j]) for j in found
    ]
    listed = ", ".join(names[:_NAMED]) + ", ..." * (len(names) > _NAMED)
    notes.append(f"decimal commas are read as points, in column {listed}")


def _has_commas(cells: list[str]) -> bool:
    """Whether these are numbers, some with a decimal comma and none with a point."""
    cells = [cell for cell in cells if not is_missing(cell)]
    commas = [bool(DECIMAL_COMMA.fullmatch(cell)) for cell in cells]
    plain = (
        comma or (is_number(cell) and "." not in cell)
        for cell, comma in zip(cells, commas, strict=True)
    )
    return any(commas) and all(plain)
