"""Many picture files: which there are below a folder, and the pixels of all that can be read as one array."""

import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.images import (
    SIXTEEN_BITS,
    SUFFIXES,
    Header,
    read_extent,
    read_header,
    read_pixels,
)
from plausible.data.limits import check_limit
from plausible.data.links import check_link
from plausible.data.mapped import empty
from plausible.data.options import Options
from plausible.data.value_range import ValueRange, decide_range, explain, joint_extent

T = TypeVar("T")
_COUNTED = 100_000  # pictures between two looks at how many there may be
_TOGETHER = 4096  # files that threads are given at once
_IN_PROCESSES = 20_000  # files that are worth processes
_CHUNK = 256  # files that a process is given at once
MAX_NAMED = 3  # how many bad files a sentence names
MAX_ENDINGS = 6  # how many endings a sentence lists


@dataclass
class ImageFiles:
    """Picture files, in an order that is the same on every machine.

    name        what sentences call the root: itself, or the archive that was unpacked there.
    headers     of each path, once they are read.
    labels      of each path, or None.
    tested      the last of the paths, which the source itself sets aside for testing.
    left_out    {ending: files} of no format that is read.
    unreadable  (file, reason) of pictures that cannot be read.
    """

    root: Path
    name: Path
    paths: list[Path] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    labels: list[str] | None = None
    tested: frozenset[Path] = frozenset()
    left_out: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def keep(self, rows: list[int]) -> None:
        """Forget all files but these."""
        self.paths = [self.paths[i] for i in rows]
        self.headers = [self.headers[i] for i in rows] if self.headers else []
        if self.labels is not None:
            self.labels = [self.labels[i] for i in rows]

    @property
    def heldout(self) -> int:
        """How many of the last paths are for testing."""
        return sum(path in self.tested for path in self.paths) if self.tested else 0

    def shown(self, path: Path) -> Path:
        """What a sentence calls one of the files."""
        return self.name / path.relative_to(self.root)

    def notes(self) -> list[str]:
        """What of these files is not read."""
        stacks = [head.frames for head in self.headers if head.frames > 1]
        many = f"{len(stacks):,} files hold more than one picture, {sum(stacks):,} in all"
        found = (
            (stacks, f"{many}: the first of each is read"),
            (
                self.unreadable,
                f"{len(self.unreadable)} unreadable files are skipped: {self.named()}",
            ),
            (self.left_out, f"files left out, of no format that is read: {self.endings()}"),
        )
        return [note for any_such, note in found if any_such]

    def named(self) -> str:
        """The first of those that cannot be read, each with its reason."""
        more = len(self.unreadable) - MAX_NAMED
        named = "; ".join(f"{name} ({reason})" for name, reason in self.unreadable[:MAX_NAMED])
        return named + (f"; and {more} more" if more > 0 else "")

    def endings(self) -> str:
        """80 .heic, 2 .txt: the most first."""
        common = self.left_out.most_common(MAX_ENDINGS)
        more = len(self.left_out) - len(common)
        listed = ", ".join(f"{count:,} {ending}" for ending, count in common)
        return listed + (f" and {more} other kinds" if more else "")


def find_images(
    root: Path, notes: list[str], name: Path | None = None, follow_links: bool = False
) -> ImageFiles:
    """Every picture below root, by its ending, in sorted order; hidden files are passed over.

    name          what sentences call root; by default itself.
    follow_links  also those that lead out of root.
    Linked folders are followed once each, after the real ones, so that loops end.
    UsageError: a folder that cannot be listed, one without pictures, or a link that leads out of it.
    """
    files = ImageFiles(root, name or root)
    seen: set[tuple[int, int]] = set()
    again = 0
    queue = [root]
    while queue:
        linked = []
        for start in queue:
            for directory, inner, names in os.walk(start, onerror=_refuse):
                status = os.stat(directory)
                if (status.st_dev, status.st_ino) in seen:
                    again += 1
                    inner.clear()
                    continue
                seen.add((status.st_dev, status.st_ino))
                inner[:] = sorted(name for name in inner if not name.startswith("."))
                below = [Path(directory, name) for name in inner]
                links = [path for path in below if path.is_symlink()]
                for path in links:
                    check_link(path, root, follow_links)
                linked += links
                for path in (Path(directory, name) for name in sorted(names)):
                    shown = not path.name.startswith(".") and path.suffix.lower() in SUFFIXES
                    # a link to nowhere is kept, to be named as unreadable; a pipe would block
                    if shown and (path.is_symlink() or path.is_file()):
                        check_link(path, root, follow_links)
                        files.paths.append(path)
                        if len(files.paths) % _COUNTED == 0:
                            check_limit("files", len(files.paths), files.name)
                    else:
                        files.left_out[ending(path)] += 1
        queue = linked
    if again:
        notes.append(f"{again} linked folders were already read and are not read again")
    if not files.paths:
        others = files.left_out.total()
        held = f"only {others} other files: {files.endings()}" if others else "no files at all"
        raise UsageError(f"{files.name} holds no images ({', '.join(SUFFIXES)}), {held}")
    files.paths.sort(key=lambda path: path.relative_to(root).parts)
    return files


def read_headers(
    files: ImageFiles, skip: bool = False, progress: Callable[[int, int], None] | None = None
) -> None:
    """What each file says of itself, before ``decode``.

    skip  however many cannot be read.
    progress(done, total) is called after each of many files; few take no time.
    UsageError: none can be read, or more than half cannot and ``skip`` is False.
    """
    # of a million files few are of kinds of their own, so that one word is kept of each kind
    many = len(files.paths) >= _IN_PROCESSES
    files.headers = [
        head._replace(kind=sys.intern(head.kind))
        for head in _readable(files, read_header, skip, progress if many else None)
    ]


def decode(
    files: ImageFiles,
    size: tuple[int, int],
    channels: int,
    options: Options,
    notes: list[str],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, ValueRange]:
    """((N, H, W, channels) uint8 of ``size`` (width, height), black and white of the files).

    progress(done, total) is called after each file.
    UsageError: as ``read_headers``; more than the memory holds; pictures of more than 8 bits whose black and white leave a doubt.
    """
    count = len(files.paths)
    values = empty((count, size[1], size[0], channels))  # refused before anything is read
    chosen = _common_range(files, options.value_range, notes)
    pixels = partial(
        read_pixels,
        size=size,
        channels=channels,
        background=options.background,
        value_range=chosen or SIXTEEN_BITS,
    )
    read = 0
    for item in _readable(files, pixels, options.skip_unreadable, progress):
        values[read] = item
        read += 1
    _check_narrowed(values, files, notes)
    return values[:read], chosen or (0, 255)


def _readable(
    files: ImageFiles,
    function: Callable[[Path], T],
    skip: bool,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[T]:
    """function(path) of each file, run in a pool; those for which it is a ValueError become unreadable.

    UsageError, at the end: all have become so, or more than half and ``skip`` is False.
    """
    rows, count, total = [], len(files.paths), len(files.paths) + len(files.unreadable)
    for i, outcome in enumerate(_outcomes(function, files.paths)):
        if isinstance(outcome, ValueError):
            name = files.paths[i].relative_to(files.root).as_posix()
            files.unreadable.append((printable(name), str(outcome)))
        else:
            rows.append(i)
            yield outcome
        if progress is not None:
            progress(i + 1, count)
    files.keep(rows)
    files.unreadable.sort()
    if not rows and total == 1:
        first, reason = files.unreadable[0]
        raise UsageError(f"{files.name / first} cannot be read: {reason}")
    if not rows or (2 * len(files.unreadable) > total and not skip):
        half = "more than half" if rows else "none of them"
        way = " (--skip-unreadable reads the others)" if rows else ""
        raise UsageError(
            f"{len(files.unreadable):,} of the {total:,} images in {files.name} cannot be read, {half}{way}: "
            f"{files.named()}"
        )


def _outcomes(function: Callable[[Path], T], paths: list[Path]) -> Iterator[T | ValueError]:
    """function(path) of each, or the ValueError that it was: in threads, and of many files in processes, which share no lock."""
    cores = os.cpu_count() or 1
    if len(paths) < _IN_PROCESSES or cores == 1:
        with warnings.catch_warnings(), ThreadPoolExecutor(min(16, cores)) as pool:
            # PIL warns of damaged metadata, which does no harm; the pixels are limited in images.py
            warnings.simplefilter("ignore")
            for start in range(0, len(paths), _TOGETHER):
                yield from pool.map(partial(_attempt, function), paths[start : start + _TOGETHER])
        return
    import joblib  # takes a quarter of a second, and few have so many

    chunks = (paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK))
    work = joblib.Parallel(n_jobs=cores, return_as="generator", pre_dispatch=2 * cores)
    for found in work(joblib.delayed(_attempts)(function, chunk) for chunk in chunks):
        yield from found


def _attempts(function: Callable[[Path], T], paths: list[Path]) -> list[T | ValueError]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [_attempt(function, path) for path in paths]


def _common_range(
    files: ImageFiles, like: ValueRange | None, notes: list[str]
) -> ValueRange | None:
    """Black and white of all pictures of more than 8 bits together, with a note; None where there are none.

    UsageError: values that leave a doubt, or whole numbers and fractions mixed.
    """
    if scaled := sum(head.scaled for head in files.headers):
        notes.append(f"{scaled:,} images of more than 8 bits, whose files say what is white, get 8")
    each = zip(files.paths, files.headers, strict=True)
    deep = [path for path, head in each if head.deep and not head.scaled]
    outcomes = list(_outcomes(read_extent, deep))
    found = [outcome for outcome in outcomes if not isinstance(outcome, ValueError)]
    if not found:
        return None
    if len({extent.type.kind == "f" for extent in found}) > 1:
        raise UsageError(
            f"{files.name} holds pictures of whole numbers and of floating-point ones, which have no black and "
            f"white in common: put them in two folders"
        )
    together = joint_extent(found)
    chosen = decide_range(
        together, str(files.shown(deep[0]) if len(deep) == 1 else files.name), like
    )
    notes += filter(None, [explain(together, chosen, 256, like)])
    return chosen


def _check_narrowed(values: np.ndarray, files: ImageFiles, notes: list[str]) -> None:
    """Say that 16 bits a channel become 8.  UsageError: too few are used for 8 to be left."""
    rows = [i for i, head in enumerate(files.headers) if head.narrowed]
    if not rows:
        return
    brightest = max(int(values[i].max()) for i in rows)
    if brightest < 64:
        raise UsageError(
            f"{len(rows):,} images in {files.name} have 16 bits a channel and use 14 or fewer, and only the "
            f"upper 8 can be read, of which {brightest} is the brightest: save them with 8 bits a channel"
        )
    notes.append(f"{len(rows):,} images have 16 bits a channel, of which the upper 8 are read")


def _attempt(function: Callable[[Path], T], path: Path) -> T | ValueError:
    """function(path), with its ValueError returned instead of raised, for use in a pool."""
    try:
        return function(path)
    except ValueError as error:
        return error


def ending(path: Path) -> str:
    """What a file that is left out is called: by its ending, or what else sets it apart."""
    if path.name.startswith("."):
        return "hidden"
    if not path.is_file():
        return "no regular file"
    return printable(path.suffix.lower()) or "without an ending"


def printable(name: str) -> str:
    """A file name whose bytes are no UTF-8, with the odd ones replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _refuse(error: OSError) -> None:
    raise UsageError(f"folder {error.filename} cannot be listed: {error.strerror}")
