"""A folder of pictures: which files, which classes, which size, and all of them as one array."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from plausible.data.archive import ZIP, unpacked
from plausible.data.image_files import ImageFiles, decode, find_images, printable, read_headers
from plausible.data.images import SUFFIXES, Header
from plausible.data.mapped import by_blocks
from plausible.data.options import Options
from plausible.data.raw import Raw
from plausible.data.readers.reader import Progress, readers

MAX_KEPT_SIDE = 128  # the largest common size that is kept as it is
MAX_CHOSEN_SIDE = 64  # the largest side chosen where sizes differ
PART_NAMES = {"train", "training", "test", "testing", "val", "valid", "validation", "dev"}


@contextmanager
def open_folder(
    path: Path, options: Options, notes: list[str], labelled: bool
) -> Iterator[ImageFiles]:
    """The pictures of a folder, if ``labelled`` sub-folders as classes."""
    files = find_images(path, notes, follow_links=options.follow_links)
    if labelled:
        label_by_folder(files, notes)
    yield files


@contextmanager
def open_zip(
    path: Path, options: Options, notes: list[str], labelled: bool
) -> Iterator[ImageFiles]:
    """The same of a .zip file of such a folder."""
    with unpacked(path) as folder:
        files = find_images(folder, notes, path)
        if labelled:
            label_by_folder(files, notes)
        yield files


@readers.by_content("a folder of images", Path.is_dir, open_folder)
def image_folder(path: Path, options: Options, progress: Progress | None) -> Raw:
    """All pictures below a folder, sub-folders as classes: (N, C, H, W) uint8 of 256 levels.

    Unreadable files are skipped and listed; progress(done, total) is called while pixels are read.
    UsageError: nothing to read, or more than half of the pictures unreadable and not ``options.skip_unreadable``.
    """
    notes: list[str] = []
    with open_folder(path, options, notes, True) as files:
        return read_pictures(files, notes, options, progress)


@readers.by_ending(*ZIP, pictures=open_zip)
def image_zip(path: Path, options: Options, progress: Progress | None) -> Raw:
    """A .zip file of such a folder."""
    notes: list[str] = []
    with open_zip(path, options, notes, True) as files:
        return read_pictures(files, notes, options, progress)


def read_pictures(
    files: ImageFiles, notes: list[str], options: Options, progress: Progress | None
) -> Raw:
    """All of these files as one array, see ``image_folder``; the notes become those of it."""
    read_headers(files, options.skip_unreadable, progress)
    size = _size(files.headers, options, notes)
    values, chosen = decode(files, size, options.channels or 3, options, notes, progress)
    headers = files.headers
    if options.channels is None:
        values = _grey_if_all_are(values, headers, notes)
    transparent = sum(head.transparent for head in headers)
    if transparent and options.channels != 4:
        notes.append(
            f"{transparent:,} images with transparency are laid on {options.background} "
            f"(--background chooses, --channels 4 keeps it)"
        )
    notes += files.notes()
    if files.heldout:
        notes.append(f"the {files.heldout:,} images of the test files are the held-out part")
    return Raw(
        by_blocks(_channels_first, values),
        256,
        labels=None if files.labels is None else np.array(files.labels),
        heldout=files.heldout,
        notes=notes,
        sizes=Counter(f"{head.width}x{head.height}" for head in headers),
        modes=Counter(head.kind for head in headers),
        unreadable=tuple(files.unreadable),
        ignored=files.left_out,
        value_range=chosen,
        marked=sum(head.marked for head in headers),
    )


@contextmanager
def image_files(path: Path, options: Options, notes: list[str]) -> Iterator[ImageFiles | None]:
    """The pictures that a path stands for, for a while: itself or all in it; None where it is of another format."""
    reader = readers.of(path)
    if path.suffix.lower() in SUFFIXES and path.is_file():
        yield ImageFiles(path.parent, path.parent, [path])
    elif reader and reader.pictures:
        with reader.pictures(path, options, notes, False) as files:
            yield files
    else:
        yield None


def label_by_folder(files: ImageFiles, notes: list[str], below: int = 0) -> None:
    """Label each file with its top sub-folder, where there are at least two; the notes say so.

    below  how many folders above these are no classes.
    """
    tops = [path.relative_to(files.root).parts[below:] for path in files.paths]
    names = sorted({printable(parts[0]) for parts in tops if len(parts) > 1})
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
        files.labels = [sys.intern(printable(parts[0])) for parts in tops if len(parts) > 1]


def _size(headers: list[Header], options: Options, notes: list[str]) -> tuple[int, int]:
    """(width, height) of every image: asked for, or common, or chosen; the notes say which."""
    sizes = Counter((head.width, head.height) for head in headers)
    (width, height), count = sizes.most_common(1)[0]
    if options.sides is not None:
        target = options.sides
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


def _channels_first(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(values, 3, 1))  # (N, H, W, C) -> (N, C, H, W)


def _grey_if_all_are(values: np.ndarray, headers: list[Header], notes: list[str]) -> np.ndarray:
    """(N, H, W, 3) -> (N, H, W, 1) if no pixel has a colour."""
    colour = sum(
        bool((item[..., :1] != item[..., 1:]).any()) for item in values
    )  # one image at a time, to need no second copy of all
    if colour:
        grey = len(values) - colour
        if grey:
            are = "image is" if grey == 1 else "images are"
            notes.append(f"{grey:,} {are} grey and {colour:,} in colour: all get 3 channels")
        return values
    stored = sum(not head.kind.startswith(("1", "L", "I", "F")) for head in headers)
    also = f", {stored:,} of them stored as colour," if stored else ""
    notes.append(f"all images{also} are grey: 1 channel (--channels 3 keeps three)")
    return values[..., :1]
