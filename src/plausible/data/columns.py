"""Tables beside other tables: the same name is the same coordinate, wherever it stands."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from plausible.core.errors import UsageError
from plausible.data.options import Options
from plausible.data.raw import Raw
from plausible.data.readers import Progress, read, readers

_LISTED = 12  # names in a sentence


def read_like(
    path: Path,
    options: Options,
    columns: Sequence[str] = (),
    label_column: str | None = None,
    progress: Progress | None = None,
) -> Raw:
    """A file or folder, read as the data were that have these columns, or none with names.

    The class is in the column that ``options`` or else ``label_column`` names, if the table has it, and those
    that ``options`` leave out by name may be there or not; none of ``columns`` is taken for the class or left out.  UsageError: as ``read``.
    """
    reader = readers.of(path)
    if reader is None or reader.beside is None:
        return read(path, replace(options, label=None), progress)
    return reader.beside(path, replace(options, label=options.label or label_column), columns)


def column_order(
    found: Sequence[str], wanted: Sequence[str], file: str, notes: list[str]
) -> slice | list[int]:
    """Which columns of ``found``, those of a file, are those of ``wanted``, in their order: an index of (N, D).

    Where one side has no names they are matched by position, with a note.
    UsageError: names that are missing or unknown.
    """
    found, wanted = tuple(found), tuple(wanted)
    if found == wanted:
        return slice(None)
    if not found or not wanted:
        nameless = "the data" if found else file
        notes.append(
            f"the columns of {nameless} have no names, so they are matched by position to "
            f"{_listed(found or wanted)}"
        )
        return slice(None)
    missing = [name for name in wanted if name not in found]
    unknown = [name for name in found if name not in wanted]
    if missing or unknown or len(set(found)) < len(found):
        sides = ((missing, "missing"), (unknown, "unknown"))
        wrong = [f"{_listed(names)} {side}" for names, side in sides if names]
        raise UsageError(
            f"{file} has the columns {_listed(found)} and the data {_listed(wanted)}: "
            f"{' and '.join(wrong) or 'a name stands for two columns'}"
        )
    notes.append(f"the columns {_listed(found)} are matched by name to {_listed(wanted)}")
    return [found.index(name) for name in wanted]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + f", ... ({len(names)})" * (len(names) > _LISTED)
