"""Valid small sources with one thing wrong, a generator for each reader, and what a reader may do with one.

A generator draws from a ``random.Random``, so that a seed names its input, and hypothesis can draw and shrink the same.
The law: ``plausible.load`` returns Data whose values lie in its Space, or raises UsageError in one line that names the source.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

import plausible
from plausible.core.errors import UsageError
from plausible.data.part import Data, Part


@dataclass
class Source:
    """Files of one folder, and which of them is read.

    name     of the file that is read; "" for the folder.
    wrong    what is wrong, in words.
    links    {name: where it points to}.
    choices  options of ``plausible.load``.
    """

    files: dict[str, bytes]
    name: str
    wrong: str
    links: dict[str, str] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write it below a folder; the path to read."""
        for name, content in self.files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        for name, target in self.links.items():
            (folder / name).symlink_to(target)
        return folder / self.name if self.name else folder


Generator = Callable[[Random], Source]
sources: dict[str, Generator] = {}
"""{reader: what makes a source for it with one thing wrong}."""
whole: dict[str, Generator] = {}
"""{reader: what makes a source for it with nothing wrong}."""


class Outcome(NamedTuple):
    """accepted, refused or broken, and what was said."""

    what: str
    said: str = ""


def ask(source: Source, folder: Path) -> Outcome:
    """What ``plausible.load`` makes of a source that is written to an empty folder."""
    path = source.write(folder)
    try:
        data = plausible.load(path, **source.choices)
    except UsageError as refusal:
        said = str(refusal)
        if not said.isprintable():
            return Outcome("broken", f"no single line: {said!r}")
        named = any(Path(name).name in said for name in (path.name, *source.files))
        return Outcome("refused" if named else "broken", said)
    except Exception as error:
        return Outcome("broken", f"{type(error).__name__}: {error}")
    wrong = beside(data)
    return Outcome("broken", wrong) if wrong else Outcome("accepted")


def beside(data: Data) -> str:
    """What of data does not lie in their space; "" where all does."""
    parts = (data.train, data.validation, data.heldout)
    if sum(map(len, parts)) != data.survey.count or not all(map(len, parts)):
        return f"parts of {[len(part) for part in parts]} items of {data.survey.count}"
    if len(data.class_names) not in (data.space.classes, 0):
        return f"{data.space.classes} classes of {len(data.class_names)} names"
    notes = [note for note in data.notes if not note.isprintable()]
    return f"a note of several lines: {notes[0]!r}" if notes else next(filter(None, map(_beside, parts)), "")  # fmt: skip


def _beside(part: Part) -> str:
    space, values = part.space, part.values.numpy()
    if values.shape[1:] != space.shape:
        return f"items of shape {values.shape[1:]} in a space of {space.shape}"
    if space.levels and (values.dtype != np.uint8 or values.max() >= (part.grey_levels or space.levels)):  # fmt: skip
        return f"codes up to {values.max()} on {space.levels} levels"
    if not space.levels and not np.isfinite(values).all():
        return "numbers that are not finite"
    if space.whole and (values[:, list(space.whole)] % 1).any():
        return "fractions among whole numbers"
    y = None if part.y is None else part.y.numpy()
    if y is not None and not ((y >= 0) & (y < space.classes)).all():
        return f"classes up to {y.max()} of {space.classes}"
    return ""


def hurt(random: Random, content: bytes) -> tuple[bytes, str]:
    """(bytes with something else in one place, what that is)."""
    size = len(content)
    at, length = random.randrange(size + 1), random.choice((1, 2, 4, 8, 64))
    ways = {
        "a flipped bit": lambda: _at(content, at, lambda byte: byte ^ (1 << random.randrange(8))),
        "another byte": lambda: _at(content, at, lambda byte: random.randrange(256)),
        "a largest byte": lambda: _at(content, at, lambda byte: 255),
        "a truncated tail": lambda: content[:at],
        "bytes that are gone": lambda: content[:at] + content[at + length :],
        "bytes too many": lambda: content[:at] + random.randbytes(length) + content[at:],
        "bytes twice": lambda: content[: at + length] + content[at:],
        "zeros": lambda: content[:at] + bytes(len(content[at : at + length])) + content[at + length :],
        "more behind the end": lambda: content + random.randbytes(length),
        "the whole twice": lambda: content + content,
        "nothing": lambda: b"",
    }  # fmt: skip
    way = random.choice(tuple(ways))
    return ways[way](), way


def _at(content: bytes, place: int, change: Callable[[int], int]) -> bytes:
    """Bytes with another one at a place."""
    changed = bytearray(content)
    if changed:
        changed[place % len(changed)] = change(changed[place % len(changed)])
    return bytes(changed)


def mutated(random: Random, name: str) -> Source:
    """A whole source of a reader of which one file has up to four places hurt, whatever they mean."""
    source = whole[name](random)
    files = sorted(source.files)
    hurt_one = source.name if source.name in files else random.choice(files)
    words = []
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        source.files[hurt_one], way = hurt(random, source.files[hurt_one])
        words.append(way)
    source.wrong = f"{hurt_one}: {', '.join(words)}"
    return source


def one_of(random: Random, **ways: Callable[[], Source]) -> Source:
    """The source of one of these ways, which is what is wrong with it."""
    way = random.choice(tuple(ways))
    source = ways[way]()
    source.wrong = way.replace("_", " ") + (f": {source.wrong}" if source.wrong else "")
    return source
