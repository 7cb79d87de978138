"""A source (name or path) -> Data."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.core.likelihood import LogProb
from plausible.core.space import Space
from plausible.data.folder import Progress, folder
from plausible.data.images import SUFFIXES, refit
from plausible.data.labels import encode
from plausible.data.mutation import mutated
from plausible.data.options import DEFAULTS, FORMATS, NAMES, Options, resolve_source
from plausible.data.part import Data, Part, Survey
from plausible.data.quantise import draw, requantise
from plausible.data.raw import Raw
from plausible.data.readers import idx, idx_folder, is_idx, npy, npz
from plausible.data.tables import table
from plausible.data.toys import TOYS

FEWEST = 10  # items without which there is nothing to split
DECISIVE = 500  # held-out items that decide most questions of a verdict
TOY_ITEMS = 10_000
SEED = 0  # of the split and of the toys: the same whatever the seed of training


def load(
    source: str = "digits", options: Options = DEFAULTS, progress: Progress | None = None
) -> Data:
    """The data set of a name (see options.NAMES) or a path, split in three on the CPU.

    progress(done, total) is called while a folder of images is read.
    UsageError: anything that cannot be read or decided, in one sentence.
    """
    path = resolve_source(source)
    data = _load(source, path, options, progress)
    if options.mutate is not None:
        data = mutated(data, options.mutate)
    where = source if path is None or source in NAMES else str(path.resolve())
    return replace(data, source=where, options=options)


def _load(source: str, path: Path | None, options: Options, progress: Progress | None) -> Data:
    if options.label is not None and (path is None or path.suffix.lower() != ".csv"):
        raise UsageError(f"--label names a column of a .csv file, and {source} is none")
    if source in TOYS:
        return _toy(source, options)
    raw = _digits() if path is None else read(path, options, progress)
    count = len(raw.values)
    if count < FEWEST:
        raise UsageError(f"{source} holds {count} items; at least {FEWEST} are needed")
    name = source if path is None else _short(path)
    if not raw.is_image:
        return _vectors(name, source, raw, options)
    return _images(name, source, raw, options)


def split(count: int, brought: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of training, validation and held-out, a fixed permutation of range(count).

    Held-out is a fifth, at most 10,000, or the last ``brought`` rows where the source has its own;
    between a fifth and three tenths where that makes it 500, with which a verdict can decide most
    questions.  Validation is a tenth of the rest, at most 5,000.
    """
    generator = torch.Generator().manual_seed(SEED)
    rows = torch.randperm(count - brought, generator=generator)
    if brought:
        heldout = torch.arange(count - brought, count)
    else:
        last = min(max(count // 5, 1), 10_000)
        if last < DECISIVE <= 3 * count // 10:
            last = DECISIVE
        rows, heldout = rows[:-last], rows[-last:]
    middle = min(max(len(rows) // 10, 1), 5_000)
    return rows[:-middle], rows[-middle:], heldout


def read(path: Path, options: Options = DEFAULTS, progress: Progress | None = None) -> Raw:
    """What a file or folder holds, before anything is decided about labels, levels and split.

    UsageError: no known format, or nothing that can be read.
    """
    if path.is_dir():
        return idx_folder(path) or folder(path, options, progress)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return table(path, options.label)
    if suffix in (".npy", ".npz"):
        return npy(path) if suffix == ".npy" else npz(path)
    if path.is_file() and is_idx(path):
        return idx(path)
    if suffix in SUFFIXES:
        raise UsageError(f"{path} is one image, and a data set needs many: give their folder")
    raise UsageError(f"{path} is of no known format: give {FORMATS}")


def _digits() -> Raw:
    """scikit-learn's 1,797 handwritten digits of 8 x 8 pixels and 17 levels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    values = found.images.astype(np.uint8)[:, None]  # (1797, 8, 8) -> (1797, 1, 8, 8)
    raw = Raw(values, 17, labels=found.target)
    raw.sizes["8x8"] = raw.modes["scikit-learn"] = len(values)
    return raw


def resplit(data: Data, share: float) -> Data:
    """The same data with this share of all items held out, drawn anew with a fixed seed.

    For samples of a program that learned from another part of the data than ours would have.
    UsageError: a share that leaves less than 2 items on either side.
    """
    every = _whole(data)
    count = len(every)
    last = round(count * share) if 0 < share < 1 else 0
    rows = torch.randperm(count, generator=torch.Generator().manual_seed(SEED))
    middle = max((count - last) // 10, 1)
    if min(last, count - last - middle) < 2:
        raise UsageError(
            f"--split {share:g} of {count:,} items leaves too few on one side: choose a share "
            f"between 0 and 1 that holds out 2 at least"
        )
    cut = rows[: -last - middle], rows[-last - middle : -last], rows[-last:]
    train, validation, heldout = (every.rows(r) for r in cut)
    return replace(data, train=train, validation=validation, heldout=heldout)


def against(data: Data, other: Data) -> Data:
    """Everything in ``data`` to learn from, everything in ``other`` held out.

    Where ``other`` has labels its classes must be among those of ``data``; where it has none, its
    points are held out without.
    UsageError: the two do not share shape and levels, or classes, or are the same.
    """
    if (data.space.shape, data.space.levels) != (other.space.shape, other.space.levels):
        raise UsageError(
            f"{other.name} lives in {other.space} and {data.name} in {data.space}: held-out data "
            f"must have the same shape and levels"
        )
    heldout, y = _whole(other), None
    if heldout.y is not None and data.class_names:
        places = {name: k for k, name in enumerate(data.class_names)}
        if strange := [name for name in other.class_names if name not in places]:
            raise UsageError(
                f"{other.name} has the class {strange[0]}, which is none of {data.name}: "
                f"{', '.join(data.class_names[:10])}{', ...' * (len(data.class_names) > 10)}"
            )
        y = torch.tensor([places[name] for name in other.class_names])[heldout.y]
    if data.hashes == other.hashes:
        raise UsageError(
            f"{other.name} would be held out and learned from at once: give other data"
        )
    return replace(data, train=_whole(data), heldout=replace(heldout, y=y, space=data.space))


def joined(*parts: Part) -> Part:
    """Several parts of one data set as one."""
    labels = [part.y for part in parts if part.y is not None]
    values = torch.cat([part.values for part in parts])
    return replace(parts[0], values=values, y=torch.cat(labels) if labels else None)


def _whole(data: Data) -> Part:
    return joined(data.train, data.validation, data.heldout)


def _toy(name: str, options: Options) -> Data:
    _only_for_images(name, options)
    toy = TOYS[name]()
    batch = toy.sample(TOY_ITEMS, torch.Generator().manual_seed(SEED))
    assert batch.y is not None
    raw = Raw(batch.x.numpy(), None, labels=batch.y.numpy())
    raw.modes["float32, drawn"] = len(batch)
    raw.notes.append(f"{len(batch):,} points drawn from a distribution whose density is known")
    names = tuple(str(k) for k in range(toy.space.classes))
    return _parts(name, raw, batch.y.numpy(), names, toy.space, log_prob=toy.log_prob)


def _vectors(name: str, source: str, raw: Raw, options: Options) -> Data:
    _only_for_images(source, options)
    constant = int((np.ptp(raw.values, axis=0) == 0).sum())
    if constant:
        raw.notes.append(f"{constant} of {raw.values.shape[1]} columns are the same in every item")
    y, names = _labels(raw, source)
    return _parts(name, raw, y, names, Space(raw.values.shape[1:], None, len(names)))


def _images(name: str, source: str, raw: Raw, options: Options) -> Data:
    """Size, channels and levels as asked for, then the split."""
    assert raw.levels is not None
    if options.binarise and options.levels not in (None, 2):
        raise UsageError(
            f"--binarise makes 2 levels, so it cannot go with --levels {options.levels}"
        )
    if options.size is not None and options.size < 1:
        raise UsageError(f"size must be at least 1 pixel, not {options.size}")
    _refit(raw, options)
    greys = None
    if options.binarise == "dynamic":
        greys = raw.levels
        raw.notes.append("every use draws each pixel anew, 1 with its grey value as probability")
    elif options.binarise == "static":
        raw.values = draw(raw.values, raw.levels)
        raw.notes.append("each pixel is drawn once, 1 with its grey value as probability")
    elif options.binarise == "threshold":
        raw.values = requantise(raw.values, raw.levels, 2)
        raw.notes.append("pixels brighter than half are 1, the others 0")
    elif options.levels is not None:
        if options.levels != raw.levels:
            raw.notes.append(f"{raw.levels} grey levels are rounded to {options.levels}")
        raw.values = requantise(raw.values, raw.levels, options.levels)
    levels = 2 if options.binarise else options.levels or raw.levels
    y, names = _labels(raw, source)
    space = Space(raw.values.shape[1:], levels, len(names))
    return _parts(name, raw, y, names, space, greys)


def _refit(raw: Raw, options: Options) -> None:
    """Bring images that came as an array to the size and channels asked for, in place."""
    assert raw.levels is not None
    _, now, height, width = raw.values.shape
    size = options.size if options.size and (height, width) != (options.size,) * 2 else None
    channels = options.channels if options.channels != now else None
    if size is None and channels is None:
        return
    codes = refit(requantise(raw.values, raw.levels, 256), size, channels, options.background)
    raw.values = requantise(codes, 256, raw.levels)
    if size is not None:
        crop = "cropped at the centre and " if height != width else ""
        raw.notes.append(f"all images are {crop}resized from {width}x{height} to {size}x{size}")
    if channels is not None:
        raw.notes.append(f"all images are brought from {now} to {channels} channels")


def _labels(raw: Raw, source: str) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """((N,) int64 or None, names of the classes)."""
    if raw.labels is None:
        return None, ()
    y, names = encode(raw.labels, source)
    if len(names) < 2:
        raw.notes.append(f"every item has the label {names[0]!r}, so labels are not used")
        return None, ()
    return y, names


def _parts(
    name: str,
    raw: Raw,
    y: np.ndarray | None,
    class_names: tuple[str, ...],
    space: Space,
    greys: int | None = None,
    log_prob: Callable[[Tensor], LogProb] | None = None,
) -> Data:
    values = torch.from_numpy(np.ascontiguousarray(raw.values))
    labels = None if y is None else torch.from_numpy(y)
    rows = split(len(values), raw.heldout)
    train, validation, heldout = (
        Part(values[r], None if labels is None else labels[r], space, greys) for r in rows
    )
    counts = Counter() if y is None else Counter(y.tolist())
    raw.notes.append(
        f"{len(train):,} items to learn from, {len(validation):,} for validation, "
        f"{len(heldout):,} held out for evaluation"
    )
    survey = Survey(
        count=len(values),
        classes={word: counts[k] for k, word in enumerate(class_names)},
        sizes=raw.sizes,
        modes=raw.modes,
        offenders=raw.offenders,
        ignored=raw.ignored,
    )
    notes = tuple(raw.notes)
    return Data(name, space, train, validation, heldout, class_names, notes, survey, log_prob)


def _only_for_images(source: str, options: Options) -> None:
    for flag in ("size", "channels", "levels", "binarise"):
        if getattr(options, flag) is not None:
            raise UsageError(f"--{flag} is for images, and {source} holds vectors")


def _short(path: Path) -> str:
    """A name for run folders, from the last part of a path."""
    path = path.expanduser().resolve()
    stem = path.name if path.is_dir() else path.name.removesuffix(".gz").removesuffix(path.suffix)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.") or "data"
