"""Parquet files: one, a folder of them or a numbered list, read by pyarrow a part of their rows at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from plausible.core.errors import UsageError
from plausible.data.image_files import ImageFiles
from plausible.data.limits import check_limit, check_unpacked
from plausible.data.options import Options
from plausible.data.raw import Raw, first_line
from plausible.data.readers.arrow_table import ArrowTable, open_arrow, pyarrow, read_arrow
from plausible.data.readers.file_parts import tests_last
from plausible.data.readers.reader import Progress, files_of, left_beside, readers

ENDING = ".parquet"
_AT_ONCE = 64  # rows, of which each may hold a picture
_CELL = 8  # bytes that a cell takes at least


@contextmanager
def open_parquet(
    path: Path, options: Options, notes: list[str], labelled: bool
) -> Iterator[ImageFiles | None]:
    """The pictures in parquet files; None where these hold numbers."""
    table = parquet_table(path)
    about = list(table.notes)
    with open_arrow(table, options, about, labelled) as files:
        notes += about if files is not None else []
        yield files


def parquet_beside(path: Path, options: Options, beside: Sequence[str]) -> Raw:
    """The rows of parquet files beside data that have these columns."""
    return read_arrow(parquet_table(path), options, None, beside)


@readers.by_ending(ENDING, beside=parquet_beside, pictures=open_parquet, several=True)
def parquet(path: Path, options: Options, progress: Progress | None) -> Raw:
    """A column of pictures, as bytes or as the hub packs them, with one of classes; or columns of numbers, as in a .csv.

    Of several files those called test are the held-out part.
    UsageError: pyarrow is not installed; damage; files of other columns; see ``read_arrow``.
    """
    return read_arrow(parquet_table(path), options, progress)


def parquet_table(path: Path) -> ArrowTable:
    """What parquet files hold, of which nothing but what they say of themselves is read yet.

    UsageError: as for ``parquet``; more than the limits allow.
    """
    pyarrow(path)
    found = files_of(path, [ENDING])
    files, tests = tests_last(found)
    opened = [_open(file) for file in files]
    schema = opened[0].schema_arrow
    for file, other in zip(files, opened, strict=True):
        _check_alike(files[0], schema, file, other.schema_arrow)
    counts = [each.metadata.num_rows for each in opened]
    size, rows = sum(file.stat().st_size for file in files), sum(counts)
    _check_rows(path, schema, rows, size)
    notes = (f"{len(files):,} parquet files are read as one set",) if len(files) > 1 else ()

    def batches(columns: Sequence[str]) -> Iterator[Any]:
        for file, each, count in zip(files, opened, counts, strict=True):
            yield from _read(file, each, columns, count)

    return ArrowTable(
        path if len(files) > 1 else files[0], schema, rows, batches, "parquet",
        sum(n for file, n in zip(files, counts, strict=True) if file in tests), notes, left_beside(path, files),
        lambda taken: check_unpacked(taken, path, "archive", size),
    )  # fmt: skip


def _open(file: Path) -> Any:
    """A ``pyarrow.parquet.ParquetFile``.  UsageError: it is none, or damaged."""
    try:
        return import_module("pyarrow.parquet").ParquetFile(file, page_checksum_verification=True)
    except Exception as error:  # of the package's own kinds
        raise UsageError(f"{file} cannot be read as parquet: {first_line(error)}") from error


def _read(file: Path, opened: Any, columns: Sequence[str], count: int) -> Iterator[Any]:
    """The rows of a file.  UsageError: damage, so also fewer or more of them than it says."""
    done = 0
    try:
        for batch in opened.iter_batches(_AT_ONCE, columns=list(columns), use_threads=False):
            done += batch.num_rows
            yield batch.select(list(columns))
    except Exception as error:  # of the package's own kinds
        raise UsageError(f"{file} cannot be read as parquet: {first_line(error)}") from error
    if done != count:
        raise UsageError(f"{file} is damaged: it says that it has {count:,} rows and has {done:,}")


def _check_alike(first: Path, schema: Any, file: Path, other: Any) -> None:
    """UsageError: two files have not the same columns, or one has a name twice."""
    names = other.names
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{file} has two columns called {twice!r}")
    if not schema.equals(other, check_metadata=False):
        unlike = [name for name in {*names, *schema.names} if name not in names or name not in schema.names or schema.field(name).type != other.field(name).type]  # fmt: skip
        raise UsageError(
            f"{first} and {file} have not the same columns: {', '.join(map(repr, sorted(unlike))) or 'their order'}"
        )


def _check_rows(path: Path, schema: Any, rows: int, size: int) -> None:
    """UsageError: more rows than the limits allow, by what the files say of themselves."""
    check_limit("columns", len(schema.names), path)
    if rows < 0:
        raise UsageError(f"{path} is damaged: it says that it has {rows:,} rows")
    check_unpacked(_CELL * rows * len(schema.names), path, "text", size)
