"""A source (name or path) -> Data."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plausible.core.errors import UsageError, one_line, unknown
from plausible.core.likelihood import LogProb
from plausible.core.space import Space
from plausible.data.arrays import describe_shape, interpret
from plausible.data.columns import read_like
from plausible.data.glyphs import glyph_sets
from plausible.data.hub import read_hub
from plausible.data.hub_name import is_hub
from plausible.data.kept_data import read_once
from plausible.data.labels import check_classes, encode_labels
from plausible.data.mapped import is_mapped, taken
from plausible.data.memory import TABLE, numbers, read_memory
from plausible.data.mutation import mutated
from plausible.data.options import DEFAULTS, NO_CLASS, Options
from plausible.data.part import Data, Part, Survey
from plausible.data.quantise import DRAWN_ONCE, binarise, requantise
from plausible.data.raw import Raw
from plausible.data.readers import Progress, in_words, read, readers
from plausible.data.resize import check_size, explain_size, fit_images
from plausible.data.source import GLYPH_SETS, NAMES, TOYS, Source, fetched, resolve_source
from plausible.data.split import half_of, split, split_notes
from plausible.data.toys import toys

MIN_ITEMS = 10  # items without which there is nothing to split
_NAMED = 5  # columns in a note
DRAWN_ITEMS = 10_000  # of a toy and of pictures of characters
SEED = 0  # of what is drawn: the same whatever the seed of training


def load(
    source: Any = "digits",
    options: Options = DEFAULTS,
    progress: Progress | None = None,
    like: Data | None = None,
    **choices: Any,
) -> Data:
    """The data set of a name, a path, or what is in memory, split in three on the CPU.

    source   a name (see source.NAMES) or a path (str or Path); an array or tensor of images or vectors; a DataFrame,
             read as a table in a file is; a torch Dataset of x or (x, y), all of whose items are read; a pair (x, y)
             of these and labels; or {"train": ..., "test": ...} of these, whose test is the held-out part.
    choices  fields of ``Options``, in the place of those of ``options``: size=32.
    progress(done, total) is called while a folder of images or a Dataset is read.
    like     data of the same kind: the same column of a table is the class, if the table has it.
    UsageError: anything that cannot be read or decided, in one sentence.  What was in memory a run cannot read
    again: whoever opens it gives it anew.

    >>> load(np.zeros((20, 30, 40)), size="16x8").space.shape
    (1, 8, 16)
    """
    options = _with_choices(options, choices)
    if not isinstance(source, str | Path):
        return _in_memory(*read_memory(source, options, progress), options)
    named = isinstance(source, Path) and str(source) in NAMES and source.exists()
    found = resolve_source(f"./{source}" if named else str(source))
    data = _load(found, options, progress, like)
    data = _changed(data, options)
    return replace(data, source=found.address, options=_decided_options(data, options, like))


def from_arrays(
    x: np.ndarray | Tensor,
    y: np.ndarray | Tensor | Sequence[int | str] | None = None,
    options: Options = DEFAULTS,
    name: str = "array",
    columns: Sequence[str] = (),
) -> Data:
    """The data set of an array in memory, split in three on the CPU, as if it had been read from a .npz file.

    x     images (N, H, W), (N, C, H, W) or (N, H, W, C), or vectors (N, D), of any numeric type.
    y     (N,) labels of any kind.
    name  for the names of run folders.
    columns  names of the D coordinates of vectors.
    A run cannot read such data again: whoever opens it gives them anew.
    UsageError: as for ``load``.
    """
    raw = interpret(numbers(x), name, "array", value_range=options.value_range)
    if y is not None:
        raw.labels = np.asarray(y)
        if raw.labels.shape != (len(raw.values),):
            raise UsageError(f"y has the shape {raw.labels.shape} for {len(raw.values):,} items")
    if columns:
        raw.columns = tuple(str(column) for column in columns)
        if raw.is_image or len(raw.columns) != raw.values.shape[1]:
            held = describe_shape(raw.values.shape[1:])
            raise UsageError(f"{len(raw.columns)} names of columns do not suit {held}")
    return _in_memory(raw, name, options)


def _in_memory(raw: Raw, name: str, options: Options) -> Data:
    source = Source(name, None)
    if name != TABLE:
        _only_for_tables(source, options, ("drop", "missing"))
        if options.label != NO_CLASS:
            _only_for_tables(source, options, ("label",))
    check_size(options)
    data = _decided(source, raw, options)
    data = _changed(data, options)
    return replace(data, source="", options=_decided_options(data, options))


def _changed(data: Data, options: Options) -> Data:
    """What is done to data that were split."""
    if options.half is not None:
        data = half_of(data, options.half)
    return data if options.mutate is None else mutated(data, options.mutate)


def _with_choices(options: Options, choices: Mapping[str, Any]) -> Options:
    """Options with some fields changed.  UsageError: no such field."""
    known = [field.name for field in fields(Options)]
    for name in choices:
        if name not in known:
            raise UsageError(unknown("option of data", name, known))
    return replace(options, **choices)


def _decided_options(data: Data, options: Options, like: Data | None = None) -> Options:
    """What was asked for, and what was found that whatever is read beside these data gets: black and white, and the
    columns that are left out.

    UsageError: black and white that were asked for and are others.
    """
    asked, found = options.value_range, data.survey.value_range
    if like is None and asked and found and asked != found:
        raise UsageError(
            f"--value-range {asked[0]:g} {asked[1]:g} cannot be black and white of {data.name}, where they are "
            f"{found[0]:g} and {found[1]:g}"
        )
    named = data.survey.left_out if data.columns else ()
    return replace(options, value_range=found, drop=(*dict.fromkeys((*options.drop, *named)),))


def _load(
    source: Source, options: Options, progress: Progress | None, like: Data | None = None
) -> Data:
    if like is None and not _has_columns(source):
        _only_for_tables(source, options, ("drop", "missing"))
        if options.label != NO_CLASS or source.spec in TOYS:
            _only_for_tables(source, options, ("label",))
    if source.spec in TOYS:
        return _toy(source, options)
    check_size(options)
    if not is_hub(source.spec) and like is None and (options.hub_config or options.hub_split):
        raise UsageError(
            f"--hub-config and --hub-split are for hub:user/name, and not for {source.spec}"
        )
    if is_hub(source.spec):
        raw = _hub(source, options, progress, like)
    elif source.path is None:
        raw = _glyphs(source, options) if source.spec in GLYPH_SETS else _digits()
    elif like is not None:
        drop = (*options.drop, *like.options.drop)
        ranged = replace(options, value_range=like.options.value_range, drop=drop)
        raw = read_like(
            fetched(source, progress), ranged, like.columns, like.label_column, progress
        )
    else:
        path = fetched(source, progress)
        return read_once(
            path, options, lambda: _decided(source, read(path, options, progress), options)
        )
    return _decided(source, raw, options, like)


def _decided(source: Source, raw: Raw, options: Options, like: Data | None = None) -> Data:
    """What a reader handed over, with everything decided about labels, levels and split."""
    count = len(raw.values)
    if count < MIN_ITEMS:
        broken = "".join(f"; {name} cannot be read ({why})" for name, why in raw.unreadable)
        raise UsageError(
            f"{source.spec} holds {count} items; at least {MIN_ITEMS} are needed{broken}"
        )
    if options.label == NO_CLASS and raw.label_column is None:
        raw.labels = None  # of an array or a folder; a table has none then
    if raw.marked:
        are = "is" if raw.marked == 1 else "are"
        raw.notes.append(
            f"{raw.marked:,} of these images {are} marked as drawn by a model: what learns from such images learns the "
            f"faults of that model, and what is held against them is not held against real ones"
        )
    return (_images if raw.is_image else _vectors)(source, raw, options, like)


def _hub(source: Source, options: Options, progress: Progress | None, like: Data | None) -> Raw:
    """A data set of the hub, with the columns of ``like`` where there is that."""
    if like is None:
        return read_hub(source.spec, options, progress)
    ranged = replace(
        options,
        value_range=like.options.value_range,
        drop=(*options.drop, *like.options.drop),
        label=options.label or like.label_column,
    )
    return read_hub(source.spec, ranged, progress, like.columns)


def _digits() -> Raw:
    """scikit-learn's 1,797 handwritten digits of 8 x 8 pixels and 17 levels."""
    values, labels = (array.copy() for array in _digit_arrays())
    raw = Raw(values, 17, labels=labels, value_range=(0, 16))
    raw.sizes["8x8"] = raw.modes["scikit-learn"] = len(values)
    return raw


@cache  # its text takes longer to read than everything else about it
def _digit_arrays() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.images.astype(np.uint8)[:, None], found.target  # (1797, 1, 8, 8), (1797,)


def _glyphs(source: Source, options: Options) -> Raw:
    """10,000 pictures of characters whose factors are known, in colour and of 32 pixels unless asked otherwise."""
    glyphs, channels = glyph_sets[source.spec], options.channels or 3
    size = max(options.sides or (32,))
    images, factors = glyphs.sample(DRAWN_ITEMS, size, channels, SEED)
    labels = np.array(list(glyphs.characters))[factors.glyph.numpy()]
    raw = Raw(images.numpy(), 256, labels=labels, value_range=(0, 255))
    raw.sizes[f"{size}x{size}"] = raw.modes["uint8, drawn"] = len(images)
    raw.notes.append(
        f"{len(images):,} pictures drawn from fonts, inks, slants and sizes whose shares are known "
        f"(glyph_sets[{source.spec!r}].sample of plausible.data.glyphs draws as many as wanted, with the factors of each)"
    )
    return raw


def _toy(source: Source, options: Options) -> Data:
    _only_for_images(source, options)
    toy = toys[source.spec]()
    batch = toy.sample(DRAWN_ITEMS, torch.Generator().manual_seed(SEED))
    assert batch.y is not None
    raw = Raw(batch.x.numpy(), None, labels=batch.y.numpy())
    raw.modes["float32, drawn"] = len(batch)
    raw.notes.append(f"{len(batch):,} points drawn from a distribution whose density is known")
    names = tuple(str(k) for k in range(toy.space.classes))
    return _parts(source, raw, batch.y.numpy(), names, toy.space, log_prob=toy.log_prob)


def _vectors(source: Source, raw: Raw, options: Options, like: Data | None) -> Data:
    _only_for_images(source, options)
    constant = int((np.ptp(raw.values, axis=0) == 0).sum())
    if constant:
        raw.notes.append(f"{constant} of {raw.values.shape[1]} columns are the same in every item")
    if raw.whole:
        called = [repr(raw.columns[j]) if raw.columns else str(j + 1) for j in raw.whole]
        listed = ", ".join(called[:_NAMED]) + f", ... ({len(called)} in all)" * (
            len(called) > _NAMED
        )
        holds = f"columns {listed} hold" if len(called) > 1 else f"column {listed} holds"
        raw.notes.append(
            f"{holds} whole numbers alone, and samples are rounded to whole numbers there"
        )
    y, names = _labels(raw, source, like)
    space = Space(raw.values.shape[1:], None, len(names), raw.whole)
    return _parts(source, raw, y, names, space)


def _images(source: Source, raw: Raw, options: Options, like: Data | None) -> Data:
    """Size, channels and levels as asked for, then the split."""
    assert raw.levels is not None
    if options.binarise and options.levels not in (None, 2):
        raise UsageError(
            f"--binarise makes 2 levels, so it cannot go with --levels {options.levels}"
        )
    fit_images(raw, options)
    raw.notes += filter(None, [explain_size(raw)])
    grey_levels = None
    if options.binarise == "dynamic":
        grey_levels = raw.levels
        raw.notes.append("every use draws each pixel anew, 1 with its grey value as probability")
    elif options.binarise == "static":
        raw.values = binarise(raw.values, raw.levels)
        raw.notes.append(DRAWN_ONCE)
    elif options.binarise == "threshold":
        raw.values = requantise(raw.values, raw.levels, 2)
        raw.notes.append("pixels brighter than half are 1, the others 0")
    elif options.levels is not None:
        if options.levels != raw.levels:
            raw.notes.append(f"{raw.levels} grey levels are rounded to {options.levels}")
        raw.values = requantise(raw.values, raw.levels, options.levels)
    levels = 2 if options.binarise else options.levels or raw.levels
    y, names = _labels(raw, source, like)
    space = Space(raw.values.shape[1:], levels, len(names))
    return _parts(source, raw, y, names, space, grey_levels)


def _labels(
    raw: Raw, source: Source, like: Data | None
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """((N,) int64 or None, names of the classes)."""
    if raw.labels is None:
        return None, ()
    y, names = encode_labels(raw.labels, source.spec)
    if len(names) < 2 and not (like and like.class_names):
        raw.notes.append(f"every item has the label {names[0]!r}, so labels are not used")
        return None, ()
    if like is None and (note := check_classes(y, source.spec)):
        raw.notes.append(note)
    return y, names


def _parts(
    source: Source,
    raw: Raw,
    y: np.ndarray | None,
    class_names: tuple[str, ...],
    space: Space,
    grey_levels: int | None = None,
    log_prob: Callable[[Tensor], LogProb] | None = None,
) -> Data:
    labels = None if y is None else torch.from_numpy(y)
    rows = split(len(raw.values), raw.heldout)
    train, validation, heldout = (
        Part(
            values,
            None if labels is None else labels[r],
            space,
            grey_levels,
            torch.device("cpu") if is_mapped(raw.values) else None,
        )
        for r, values in zip(rows, _split_values(raw.values, rows), strict=True)
    )
    counts = Counter() if y is None else Counter(y.tolist())
    raw.notes += split_notes(train, validation, heldout)
    survey = Survey(
        count=len(raw.values),
        classes={word: counts[k] for k, word in enumerate(class_names)},
        sizes=raw.sizes,
        modes=raw.modes,
        unreadable=raw.unreadable,
        ignored=raw.ignored,
        value_range=raw.value_range,
        left_out=raw.left_out,
        marked=raw.marked,
    )
    return Data(
        source.name,
        space,
        train,
        validation,
        heldout,
        class_names,
        tuple(map(one_line, raw.notes)),
        survey,
        log_prob,
        columns=raw.columns,
        label_column=raw.label_column,
    )


def _split_values(values: np.ndarray, rows: Sequence[Tensor]) -> Iterator[Tensor]:
    """values[rows] of each part, on the disk where the whole lies there."""
    if is_mapped(values):
        yield from (torch.from_numpy(taken(values, r.numpy())) for r in rows)
        return
    whole = torch.from_numpy(np.ascontiguousarray(values))
    yield from (whole[r] for r in rows)


def _has_columns(source: Source) -> bool:
    reader = source.path and readers.of(source.path)
    return is_hub(source.spec) or bool(reader and reader.has_columns)


def _only_for_tables(source: Source, options: Options, flags: Sequence[str]) -> None:
    for flag in flags:
        if getattr(options, flag) != getattr(DEFAULTS, flag):
            tables = in_words(reader for reader in readers.values() if reader.has_columns)
            asks = "asks for rows" if flag == "missing" else "names a column"
            raise UsageError(f"--{flag} {asks} of {tables}, and {source.spec} is none")


def _only_for_images(source: Source, options: Options) -> None:
    for flag in ("size", "channels", "levels", "value_range", "binarise", "skip_unreadable"):
        if getattr(options, flag) != getattr(DEFAULTS, flag):
            raise UsageError(
                f"--{flag.replace('_', '-')} is for images, and {source.spec} holds vectors"
            )
