"""What reads a format: a function from a file or folder to ``Raw``, and the paths it answers to.

A new one is a file beside this one and a line in ``__init__.py``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plausible.core.registry import Registry
from plausible.data.options import Options
from plausible.data.raw import Raw

Progress = Callable[[int, int], None]
"""Called with (items read, items)."""

Read = Callable[[Path, Options, Progress | None], Raw]
"""UsageError: nothing that can be read, in one sentence with the path."""


@dataclass(frozen=True)
class Reader:
    """A function that reads a format.

    name      that of the function.
    format    what a sentence calls the format; empty where its endings do.
    endings   of the files it reads (".csv"), in lower case; none where it looks inside.
    accepts   whether a path is of this format.
    has_columns  whether --label may name a column of it.
    """

    name: str
    read: Read
    accepts: Callable[[Path], bool]
    format: str = ""
    endings: tuple[str, ...] = ()
    has_columns: bool = False


class Readers(Registry[Any]):
    """{name: Reader}, filled by decorating functions; a later one is asked before the earlier ones.

    >>> readers = Readers("format")
    >>> @readers.by_ending(".csv")
    ... def table(path, options, progress): ...
    >>> @readers.by_ending(".npy", ".npz")
    ... def arrays(path, options, progress): ...
    >>> readers.of(Path("a.CSV")).name, readers.of(Path("a.txt")), in_words(readers.values())
    ('table', None, 'a .csv, .npy or .npz file')
    """

    def by_ending(self, *endings: str, has_columns: bool = False) -> Callable[[Read], Read]:
        """Register a function that reads the files whose names end like this."""

        def accepts(path: Path) -> bool:
            return path.suffix.lower() in endings and not path.is_dir()

        def register(read: Read) -> Read:
            self(Reader(_name(read), read, accepts, endings=endings, has_columns=has_columns))
            return read

        return register

    def by_content(self, format: str, accepts: Callable[[Path], bool]) -> Callable[[Read], Read]:
        """Register a function that reads what ``accepts`` takes for its format, however it is called."""

        def register(read: Read) -> Read:
            self(Reader(_name(read), read, accepts, format))
            return read

        return register

    def of(self, path: Path) -> Reader | None:
        """What reads this file or folder; None for an unknown format."""
        return next((r for r in reversed(self.values()) if r.accepts(path)), None)


readers = Readers("format")


def in_words(formats: Iterable[Reader]) -> str:
    """What these readers read, for the middle of a sentence: "an IDX file, or a .npy or .npz file"."""
    formats = list(formats)
    words = [reader.format for reader in formats if reader.format]
    if endings := [ending for reader in formats for ending in reader.endings]:
        words.append(f"a {_listed(endings, ' or ')} file")
    return _listed(words, ", or ")


def _listed(words: list[str], last: str) -> str:
    return last.join(filter(None, (", ".join(words[:-1]), words[-1])))


def _name(read: Read) -> str:
    return read.__name__.replace("_", "-")
