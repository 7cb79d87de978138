"""Files that are named by a pattern of numbers: shards-{000..003}.tar."""

import re
from pathlib import Path

from plausible.core.errors import UsageError

_NUMBERED = re.compile(r"\{(\d+)\.\.(\d+)\}")
_MOST_NUMBERED = 100_000  # files that a name with {...} stands for


def listed_files(path: Path) -> list[Path]:
    """The files that a path stands for: itself, or where none is called so those of shards-{000..003}.tar.

    >>> [file.name for file in listed_files(Path("a-{08..10}.tar"))]
    ['a-08.tar', 'a-09.tar', 'a-10.tar']
    """
    found = _NUMBERED.search(path.name)
    if found is None or path.exists():
        return [path]
    first, last = int(found[1]), int(found[2])
    if not first <= last < first + _MOST_NUMBERED:
        return [path]
    width = len(found[1]) if found[1].startswith("0") else 0
    names = (
        f"{number:0{width}}".join(_around(path.name, found)) for number in range(first, last + 1)
    )
    return [path.with_name(name) for name in names]


def without_numbers(name: str) -> str:
    """A name without its pattern: "shards-" of "shards-{000..003}"."""
    return _NUMBERED.sub("", name)


def is_there(path: Path) -> bool:
    """Whether a path exists, or all files that it stands for do.  UsageError: only some of them do."""
    files = listed_files(path)
    if files == [path]:
        return path.exists()
    missing = [file for file in files if not file.exists()]
    if missing and len(missing) < len(files):
        raise UsageError(f"{path} stands for {len(files)} files, and {missing[0]} does not exist")
    return not missing


def _around(text: str, found: re.Match[str]) -> tuple[str, str]:
    return text[: found.start()], text[found.end() :]
