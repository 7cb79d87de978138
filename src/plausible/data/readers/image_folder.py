"""A folder of pictures: which files, which classes, which size, and all of them as one array."""

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.images import SUFFIXES, Header, check_memory, read_header, read_pixels
from plausible.data.options import Options
from plausible.data.raw import Raw
from plausible.data.readers.reader import Progress, readers

T = TypeVar("T")
MAX_KEPT_SIDE = 128  # the largest common size that is kept as it is
MAX_CHOSEN_SIDE = 64  # the largest side chosen where sizes differ
MAX_NAMED = 3  # how many bad files a sentence names
PART_NAMES = {"train", "training", "test", "testing", "val", "valid", "validation", "dev"}


@dataclass
class ImageFiles:
    """The pictures of a folder, in an order that is the same on every machine."""

    root: Path
    paths: list[Path] = field(default_factory=list)
    labels: list[str] | None = None
    ignored: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def name(self, i: int) -> str:
        """Path of file i below the folder."""
        return _printable(self.paths[i].relative_to(self.root).as_posix())

    def keep(self, rows: list[int]) -> None:
        """Forget all files but these."""
        self.paths = [self.paths[i] for i in rows]
        if self.labels is not None:
            self.labels = [self.labels[i] for i in rows]


@readers.by_content("a folder of images", Path.is_dir)
def image_folder(path: Path, options: Options, progress: Progress | None) -> Raw:
    """All pictures below a folder, sub-folders as classes: (N, C, H, W) uint8 of 256 levels.

    Unreadable files are skipped and listed; progress(done, total) is called while pixels are read.
    UsageError: nothing to read, or more than 1% of the pictures unreadable.
    """
    notes: list[str] = []
    files = find_images(path, notes)
    label_by_folder(files, notes)
    total = len(files.paths)
    with warnings.catch_warnings(), ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        # PIL warns of damaged metadata, which does no harm; the pixels are limited in images.py
        warnings.simplefilter("ignore")
        headers = _readable(files, pool.map(_or_error(read_header), files.paths), total)
        size = _size(headers, options, notes)
        channels = options.channels or 3
        check_memory(len(headers), size, channels)
        read = _or_error(lambda file: read_pixels(file, size, channels, options.background))
        values = np.empty((len(headers), size[1], size[0], channels), np.uint8)
        rows: list[int] = []
        for i, outcome in enumerate(pool.map(read, files.paths)):
            if isinstance(outcome, ValueError):
                files.unreadable.append((files.name(i), str(outcome)))
            else:
                values[len(rows)] = outcome
                rows.append(i)
            if progress is not None:
                progress(i + 1, len(headers))
    files.keep(rows)
    _check_unreadable(files, total)
    headers = [headers[i] for i in rows]
    values = values[: len(rows)]
    if options.channels is None:
        values = _grey_if_all_are(values, headers, notes)
    transparent = sum(head.transparent for head in headers)
    if transparent and options.channels != 4:
        notes.append(
            f"{transparent:,} images with transparency are laid on {options.background} "
            f"(--background chooses, --channels 4 keeps it)"
        )
    if files.unreadable:
        notes.append(f"{len(files.unreadable)} unreadable files are skipped: {_listed(files)}")
    return Raw(
        np.ascontiguousarray(np.moveaxis(values, 3, 1)),  # (N, H, W, C) -> (N, C, H, W)
        256,
        labels=None if files.labels is None else np.array(files.labels),
        notes=notes,
        sizes=Counter(f"{head.width}x{head.height}" for head in headers),
        modes=Counter(head.kind for head in headers),
        unreadable=tuple(files.unreadable),
        ignored=files.ignored,
    )


def find_images(root: Path, notes: list[str]) -> ImageFiles:
    """Every picture below root, by its ending, in sorted order; hidden files are passed over.

    Linked folders are followed once each, after the real ones, so that loops end.
    UsageError: a folder that cannot be listed, or one without pictures.
    """
    files = ImageFiles(root)
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
                linked += [path for path in below if path.is_symlink()]
                for path in (Path(directory, name) for name in sorted(names)):
                    shown = not path.name.startswith(".") and path.suffix.lower() in SUFFIXES
                    # a link to nowhere is kept, to be named as unreadable; a pipe would block
                    if shown and (path.is_file() or path.is_symlink()):
                        files.paths.append(path)
                    else:
                        files.ignored += 1
        queue = linked
    if again:
        notes.append(f"{again} linked folders were already read and are not read again")
    if not files.paths:
        held = f"only {files.ignored} other files" if files.ignored else "no files at all"
        raise UsageError(f"{root} holds no images ({', '.join(SUFFIXES)}), {held}")
    files.paths.sort(key=lambda path: path.relative_to(root).parts)
    return files


def image_files(path: Path, notes: list[str]) -> list[Path] | None:
    """The pictures that a path stands for: itself or all in it; None where it is of another format."""
    if path.suffix.lower() in SUFFIXES and path.is_file():
        return [path]
    reader = readers.of(path)
    return find_images(path, notes).paths if reader and reader.read is image_folder else None


def label_by_folder(files: ImageFiles, notes: list[str]) -> None:
    """Label each file with its top sub-folder, where there are at least two; the notes say so."""
    tops = [path.relative_to(files.root).parts for path in files.paths]
    names = sorted({_printable(parts[0]) for parts in tops if len(parts) > 1})
    outside = sum(len(parts) == 1 for parts in tops)
    if len(names) < 2:
        return
    listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    if {name.lower() for name in names} <= PART_NAMES:
        notes.append(
            f"the sub-folders {listed} look like parts and not like classes: all images are pooled "
            f"without labels (give one of the sub-folders to learn its classes)"
        )
    elif outside > len(tops) - outside:
        notes.append(
            f"{outside} images lie beside the {len(names)} sub-folders and fewer lie in them, so the "
            f"sub-folders are not taken as classes and all images are used"
        )
    else:
        notes.append(f"the {len(names)} sub-folders are the classes: {listed}")
        if outside:
            notes.append(
                f"{outside} images lie beside the sub-folders, have no class, and are left out"
            )
        files.keep([i for i, parts in enumerate(tops) if len(parts) > 1])
        files.labels = [_printable(parts[0]) for parts in tops if len(parts) > 1]


def _size(headers: list[Header], options: Options, notes: list[str]) -> tuple[int, int]:
    """(width, height) of every image: asked for, or common, or chosen; the notes say which."""
    sizes = Counter((head.width, head.height) for head in headers)
    (width, height), count = sizes.most_common(1)[0]
    if options.size is not None:
        side = options.size
        target = (side, side)
        how = ""
    elif 2 * count >= len(headers) and max(width, height) <= MAX_KEPT_SIDE:
        target = (width, height)
        how = ", the size of most" if len(sizes) > 1 else ""
    else:
        shorter = sorted(min(head.width, head.height) for head in headers)[len(headers) // 2]
        side = min(MAX_CHOSEN_SIDE, 2 ** (shorter.bit_length() - 1))
        target = (side, side)
        first = f"images are {width}x{height}" if len(sizes) == 1 else f"{len(sizes)} sizes"
        how = f" because of {first} (--size chooses another)"
        if len(sizes) == 1:
            how = f" from {width}x{height} (--size chooses another)"
    changed = len(headers) - sizes[target]
    cropped = sum(n for (w, h), n in sizes.items() if w * target[1] != h * target[0])
    if changed:
        crop = f", {cropped:,} of them cropped at the centre first" if cropped else ""
        notes.append(
            f"{changed:,} of {len(headers):,} images are resized to {target[0]}x{target[1]}{how}{crop}"
        )
    return target


def _grey_if_all_are(values: np.ndarray, headers: list[Header], notes: list[str]) -> np.ndarray:
    """(N, H, W, 3) -> (N, H, W, 1) if no pixel has a colour."""
    colour = sum(
        bool((item[..., :1] != item[..., 1:]).any()) for item in values
    )  # one image at a time, to need no second copy of all
    if colour:
        grey = len(values) - colour
        if grey:
            notes.append(f"{grey:,} images are grey and {colour:,} in colour: all get 3 channels")
        return values
    stored = sum(not head.kind.startswith(("1", "L", "I")) for head in headers)
    also = f", {stored:,} of them stored as colour," if stored else ""
    notes.append(f"all images{also} are grey: 1 channel (--channels 3 keeps three)")
    return values[..., :1]


def _readable(
    files: ImageFiles, outcomes: Iterable[Header | ValueError], total: int
) -> list[Header]:
    """The headers that could be read; the other files are kept as unreadable."""
    headers, rows = [], []
    for i, outcome in enumerate(outcomes):
        if isinstance(outcome, ValueError):
            files.unreadable.append((files.name(i), str(outcome)))
        else:
            headers.append(outcome)
            rows.append(i)
    files.keep(rows)
    _check_unreadable(files, total)
    return headers


def _check_unreadable(files: ImageFiles, total: int) -> None:
    files.unreadable.sort()
    if 100 * len(files.unreadable) > total:
        raise UsageError(
            f"{len(files.unreadable)} of the {total} images in {files.root} cannot be read, more than "
            f"1%: {_listed(files)}"
        )


def _listed(files: ImageFiles) -> str:
    more = len(files.unreadable) - MAX_NAMED
    listed = "; ".join(f"{name} ({reason})" for name, reason in files.unreadable[:MAX_NAMED])
    return listed + (f"; and {more} more" if more > 0 else "")


def _or_error(function: Callable[[Path], T]) -> Callable[[Path], T | ValueError]:
    """The function with its ValueError returned instead of raised, for use in a pool."""

    def attempt(path: Path) -> T | ValueError:
        try:
            return function(path)
        except ValueError as error:
            return error

    return attempt


def _printable(name: str) -> str:
    """A file name whose bytes are no UTF-8, with the odd ones replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _refuse(error: OSError) -> None:
    raise UsageError(f"folder {error.filename} cannot be listed: {error.strerror}")
