"""What reads a format: a function from a file or folder to ``Raw``, and the paths it answers to.

A new one is a file beside this one and a line in ``__init__.py``.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plausible.core.registry import Registry
from plausible.data.image_files import ImageFiles, ending
from plausible.data.images import SUFFIXES
from plausible.data.numbered import listed_files
from plausible.data.options import Options
from plausible.data.raw import Raw

Progress = Callable[[int, int], None]
"""Called with (items read, items)."""

Read = Callable[[Path, Options, Progress | None], Raw]
"""UsageError: nothing that can be read, in one sentence with the path."""

ReadBeside = Callable[[Path, Options, Sequence[str]], Raw]
"""The same of a table beside data whose columns are called so, see ``columns.read_like``."""

Opened = AbstractContextManager[ImageFiles | None]
OpenPictures = Callable[[Path, Options, list[str], bool], Opened]
"""The pictures of a path as files, for a while, with their classes or all of them without; notes on them go to the list.

None where it holds something else."""


@dataclass(frozen=True)
class Reader:
    """A function that reads a format.

    name      that of the function.
    format    what a sentence calls the format; empty where its endings do.
    endings   of the files it reads (".csv"), in lower case; none where it looks inside.
    accepts   whether a path is of this format.
    beside    reads it beside a table; None where it has no columns, which --label may name.
    pictures  opens it as files of pictures; None where it holds none.
    several   files of it in a folder are one data set.
    """

    name: str
    read: Read
    accepts: Callable[[Path], bool]
    format: str = ""
    endings: tuple[str, ...] = ()
    beside: ReadBeside | None = None
    pictures: OpenPictures | None = None
    several: bool = False

    @property
    def has_columns(self) -> bool:
        """Whether --label may name a column of it."""
        return self.beside is not None


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

    def by_ending(
        self,
        *endings: str,
        beside: ReadBeside | None = None,
        pictures: OpenPictures | None = None,
        several: bool = False,
    ) -> Callable[[Read], Read]:
        """Register a function that reads the files whose names end like this; ``several`` as in ``Reader``."""

        def accepts(path: Path) -> bool:
            if several and (path.is_dir() or not path.exists()):
                return bool(files_of(path, endings))
            return _ends(path, endings) and not path.is_dir()

        def register(read: Read) -> Read:
            about = (endings, beside, pictures, several)
            self(Reader(_name(read), read, accepts, "", *about))
            return read

        return register

    def by_content(
        self, format: str, accepts: Callable[[Path], bool], pictures: OpenPictures | None = None
    ) -> Callable[[Read], Read]:
        """Register a function that reads what ``accepts`` takes for its format, however it is called."""

        def register(read: Read) -> Read:
            self(Reader(_name(read), read, accepts, format, pictures=pictures))
            return read

        return register

    def of(self, path: Path) -> Reader | None:
        """What reads this file or folder; None for an unknown format."""
        return next((r for r in reversed(self.values()) if r.accepts(path)), None)


readers = Readers("format")


def files_of(path: Path, endings: Sequence[str]) -> list[Path]:
    """The files with these endings that a path stands for, in order: itself, a numbered list, or those in a folder.

    A folder that holds folders or pictures, too, is one of pictures, and has none.
    """
    if not path.is_dir():
        return [file for file in listed_files(path) if _ends(file, endings)]
    inside = [each for each in sorted(path.iterdir()) if not each.name.startswith(".")]
    found = [each for each in inside if _ends(each, endings) and each.is_file()]
    others = any(each.suffix.lower() in SUFFIXES or each.is_dir() for each in inside)
    return [] if others else found


def left_beside(path: Path, files: Sequence[Path]) -> Counter[str]:
    """{ending: files} of a folder that are none of these."""
    if not path.is_dir():
        return Counter()
    return Counter(ending(each) for each in path.iterdir() if each not in files)


def in_words(formats: Iterable[Reader]) -> str:
    """What these readers read, for the middle of a sentence: "an IDX file, or a .npy or .npz file"."""
    formats = list(formats)
    words = [reader.format for reader in formats if reader.format]
    if endings := [ending for reader in formats for ending in reader.endings]:
        words.append(f"a {_listed(endings, ' or ')} file")
    if several := [reader.endings[0] for reader in formats if reader.several]:
        words.append(f"a folder of {_listed(several, ' or ')} files")
    return _listed(words, ", or ")


def _ends(path: Path, endings: Sequence[str]) -> bool:
    return bool(path.suffix) and path.name.lower().endswith(tuple(endings))


def _listed(words: list[str], last: str) -> str:
    return last.join(filter(None, (", ".join(words[:-1]), words[-1])))


def _name(read: Read) -> str:
    return read.__name__.replace("_", "-")
