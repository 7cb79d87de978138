"""checksums.json: the SHA-256 of every file of a run that is read again, so that damage is never taken for a result.

A file's new hash is noted before the file is written, beside that of the file that is there, and a crash between the
two leaves a file that is known.  ``settle`` forgets the hashes of what is no longer there.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from plausible.core.errors import UsageError
from plausible.runs.files import write
from plausible.runs.kept_json import mismatch, read_json

CHECKSUMS = "checksums.json"
_CHECKED = (".safetensors", ".pt", ".json")
_WITHOUT = "without it nothing is checked, if you remove it"
_LONGEST = 255  # bytes of a name, for which file systems have room
_KNOWN = 3  # hashes of one file: what was there, and what two crashes may have left


class Condition(StrEnum):
    """What became of a file since it was written."""

    WHOLE = "whole"
    DAMAGED = "damaged"
    MISSING = "missing"
    UNKNOWN = "has no checksum"


class Damaged(UsageError):
    """A file is not what was written; the sentence names it, and what is still there."""


def write_noted(path: Path, content: bytes | str) -> Path:
    """Write a file whole or not at all, its hash noted before where it is one that is read again."""
    if path.suffix not in _CHECKED:
        return write(path, content)
    with _alone(path.parent):
        known = noted(path.parent)
        new = _hash(content.encode() if isinstance(content, str) else content)
        before = [each for each in known.get(path.name, []) if each != new]
        if known.get(path.name, [])[-1:] != [new]:
            known[path.name] = [*before, new][-_KNOWN:]
            _write(path.parent, known)
        return write(path, content)


def forget(path: Path) -> None:
    """Take a file away, and know of it no longer."""
    with _alone(path.parent):
        known = noted(path.parent)
        if known.pop(path.name, None) is not None:
            _write(path.parent, known)
        path.unlink(missing_ok=True)


def read_noted(path: Path, advice: str = "") -> bytes:
    """The content of a file as it was written; ``Damaged`` where it is another, OSError where it cannot be read.

    advice  what is still there, for the sentence.  A file of a run from before there were checksums is taken as it is.
    """
    content = path.read_bytes()
    known = noted(path.parent).get(path.name)
    if known is not None and _hash(content) not in known:
        raise Damaged(f"{path} is damaged: it is not what was written{advice and f'; {advice}'}")
    return content


def condition(path: Path) -> Condition:
    """Whether a file is what was written."""
    known = noted(path.parent).get(path.name)
    if not path.is_file():  # but a folder, or a link that leads nowhere
        return Condition.DAMAGED if os.path.lexists(path) else Condition.MISSING
    if known is None:
        return Condition.UNKNOWN
    return Condition.WHOLE if _hash(path.read_bytes()) in known else Condition.DAMAGED


def noted(folder: Path) -> dict[str, list[str]]:
    """{file: its possible hashes} of a folder; empty where none were noted."""
    path = folder / CHECKSUMS
    if not path.exists():
        return {}
    try:
        known = read_json(path)
        wrong = "" if isinstance(known, dict) else "it holds no object"
        wrong = wrong or mismatch(list(known.values()), [[str]])
    except UsageError as error:
        raise Damaged(f"{error}; {_WITHOUT}") from error
    if not wrong:
        try:
            return {_plain(name): found for name, found in known.items()}
        except ValueError as error:  # a name that file systems have no room for, say
            wrong = str(error)
    raise Damaged(f"{path} is damaged: {wrong}; {_WITHOUT}")


def _plain(name: str) -> str:
    """The name of a file beside this one; ValueError where it is none."""
    if (
        name in ("", "..")
        or Path(name).name != name
        or "\0" in name
        or len(os.fsencode(name)) > _LONGEST
    ):
        raise ValueError(f"{name[:40]!r} is no name of a file")
    return name


def settle(folder: Path) -> None:
    """Know each file by the hash that it has, and take away what killed processes have left half written."""
    _remove_temporaries(folder)
    with _alone(folder):
        known = noted(folder)
        settled = dict(known)
        for name, hashes in known.items():
            path = folder / name
            found = _hash(path.read_bytes()) if path.is_file() else None
            if found in hashes:
                settled[name] = [found]
        if settled != known:
            _write(folder, settled)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process writes to checksums.json of a folder meanwhile: one may train a run that another judges.

    The lock is on the folder itself, so that no file is left; where a file system has none, nobody waits.
    """
    try:
        place = os.open(folder, os.O_RDONLY)
    except OSError:  # a folder cannot be opened on Windows
        yield
        return
    try:
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def _write(folder: Path, known: dict[str, list[str]]) -> None:
    write(folder / CHECKSUMS, json.dumps(known, indent=1) + "\n")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _remove_temporaries(folder: Path) -> None:
    """Files that processes which have ended began to write."""
    for path in folder.glob(".*.*"):
        owner = re.fullmatch(r"\..+\.(\d+)", path.name)
        if owner and not _alive(int(owner[1])):
            path.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OSError, OverflowError):
        return True
    return True
