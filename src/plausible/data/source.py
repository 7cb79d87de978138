"""Where a data set is: a name or a path -> a ``Source``; torch-free, so a wrong one fails at once."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from plausible.core.errors import UsageError, unknown
from plausible.data.hub_name import hub_name, is_hub
from plausible.data.limits import check_regular
from plausible.data.named_sets import NAMED_SETS, fetch_set, set_folder
from plausible.data.numbered import is_there, listed_files, without_numbers

TOYS = ("ring", "grid", "moons", "spiral")
GLYPH_SETS = ("glyphs", "letters")
NAMES = ("digits", *GLYPH_SETS, *TOYS, *NAMED_SETS)

ITEM = re.compile(r"(train|validation|heldout):(\d+)(?:-(\d+))?")
"""How an input says that it is an item of the data of a run, or several: heldout:3, heldout:0-7."""


@dataclass(frozen=True)
class Source:
    """What a name or a path stands for.

    spec  the name or path as it was typed.
    path  the file or folder behind it; None for a set that needs none (digits, the toys); of a set by name whose
          files are nowhere yet the folder that ``fetched`` puts them in.
    """

    spec: str
    path: Path | None

    @property
    def name(self) -> str:
        """A short name, for run folders: that of the set, or the last part of the path."""
        if is_hub(self.spec):
            found = hub_name(self.spec)
            return _plain(Path(found.place).name if found.local else found.place)
        if self.path is None:
            return self.spec
        path = self.path.expanduser().resolve()
        name = path.name
        if not path.is_dir():
            name = name.removesuffix(".gz").removesuffix(path.suffix)
        return _plain(without_numbers(name))

    @property
    def address(self) -> str:
        """What finds the data again from any folder: the name of a set, or the whole path."""
        if is_hub(self.spec):
            return str(hub_name(self.spec))
        if self.path is None or self.spec in NAMES:
            return self.spec
        return str(self.path.resolve())


def resolve_source(source: str) -> Source:
    """The set, file or folder that a name or path stands for.

    A name wins over a folder that is called the same; ``./digits`` means the folder.
    UsageError: neither a name nor an existing path.
    """
    if source in NAMED_SETS:
        return Source(source, set_folder(source))
    if source in NAMES:
        return Source(source, None)
    if is_hub(source):
        hub_name(source)
        return Source(source, None)
    path = Path(os.path.expanduser(source)) if source.strip() else None
    try:
        there = path is not None and is_there(path)
        broken = path is not None and path.is_symlink()
    except UsageError:
        raise
    except (OSError, ValueError):  # a name too long for the file system, or with a null byte
        there = broken = False
    if there and path is not None:
        for file in listed_files(path):
            check_regular(file)
        return Source(source, path)
    if broken:
        raise UsageError(f"{source!r} is a link that leads nowhere or back to itself")
    from plausible.data.readers import in_words, readers  # which needs numpy

    if path is not None and (path.suffix or os.sep in source or "/" in source):
        raise UsageError(
            f"{source} does not exist: give the path of {in_words(readers.values())}, or a name: {', '.join(NAMES)}, hub:user/name"
        )
    raise UsageError(
        f"{unknown('data set', source, list(NAMES))}; or give the path of {in_words(readers.values())}"
    )


def has_no_path(source: str) -> bool:
    """Whether a source is found by its name alone: a set by name, or one of the hub."""
    return source in NAMES or is_hub(source)


def fetched(source: Source, progress: Callable[[int, int], None] | None = None) -> Path:
    """The file or folder behind a source that has one, its files fetched where it is a set that has none here.

    UsageError: they cannot be fetched.
    """
    assert source.path is not None
    return fetch_set(source.spec, progress) if source.spec in NAMED_SETS else source.path


def resolve_files(source: str, content: str | None = None) -> Path:
    """The file or folder that a path stands for.

    content  what is looked for in it, for the sentence.
    UsageError: as ``resolve_source``, and a set without files.
    """
    found = resolve_source(source)
    if found.path is None:
        of = f" of {content}" if content else ""
        instead = "give its files" if is_hub(source) else f"use ./{source}"
        raise UsageError(f"{source} is a data set and not a file or folder{of}; {instead}")
    return fetched(found)


def _plain(name: str) -> str:
    """A name of letters, digits, points and dashes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "data"
