"""How much is read of a source before it is refused: a small file can claim more than a machine holds."""

import os
from dataclasses import dataclass, fields
from pathlib import Path

from plausible.core.errors import UsageError, unknown

VARIABLE = "PLAUSIBLE_LIMITS"


@dataclass(frozen=True)
class Limits:
    """The most that is read; $PLAUSIBLE_LIMITS, as "columns=100000 gib=32", allows more, or less.

    gib      GiB of one file of arrays, unpacked.
    archive  GiB of pictures in a .zip, a .tar or parquet files, which are unpacked on the disk.
    text     GiB of a table of text, which takes some twenty times as much memory; of parquet at 8 bytes a cell.
    pixels   of one picture.
    columns  of a table, or coordinates of a vector.
    files    of pictures in a folder.
    memory   share of the free memory that the numbers of a data set may take; of more they lie on the disk.
    packed   times its size that an archive of more than 256 MiB may hold.
    """

    gib: float = 4.0
    archive: float = 16.0
    text: float = 1.0
    pixels: float = 2.0**26
    columns: float = 2.0**15
    files: float = 2_000_000
    memory: float = 0.25
    packed: float = 250


_WORDS = {
    "gib": "GiB",
    "archive": "GiB of pictures",
    "text": "GiB of text",
    "pixels": "pixels",
    "columns": "columns",
    "files": "pictures",
    "memory": "of the free memory",
    "packed": "times the size of its file",
}
_SMALL = 2**28  # bytes, up to which nobody minds how tightly they were packed


def limits() -> Limits:
    """Those of this process.  UsageError: the variable names none, or gives no number."""
    chosen: dict[str, float] = {}
    names = [field.name for field in fields(Limits)]
    for word in os.environ.get(VARIABLE, "").replace(",", " ").split():
        name, _, value = word.partition("=")
        if name not in names:
            raise UsageError(f"{VARIABLE}: {unknown('limit', name, names)}")
        try:
            chosen[name] = float(value)
        except ValueError as error:
            raise UsageError(f"{VARIABLE}: {name}={value} is no number") from error
    return Limits(**chosen)


def check_limit(name: str, value: float, path: object) -> None:
    """UsageError: a source has more of something than is read."""
    limit = getattr(limits(), name)
    if value > limit:
        raise UsageError(
            f"{path} holds {_number(value)} {_WORDS[name]}, and at most {_number(limit)} are read; "
            f"{VARIABLE}={name}={value:.0f} in the environment allows so many"
        )


def check_unpacked(bytes: int, path: Path, limit: str = "gib", size: int | None = None) -> None:
    """UsageError: what an archive holds is more than is read, or so tightly packed that it is meant to do harm.

    size  bytes of the files that it is in, by default of the one.
    """
    check_limit(limit, bytes / 2**30, path)
    if bytes > _SMALL:
        check_limit("packed", bytes / max(1, size or path.stat().st_size), path)


def check_regular(path: Path) -> None:
    """UsageError: neither a file nor a folder, but a device or a pipe, which need have no end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UsageError(f"{path} is a device or a pipe, and only files and folders are read")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"
