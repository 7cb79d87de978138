"""The three parts of a data set: drawn, drawn anew, taken from other data, merged, and what is in two of them."""

from dataclasses import replace

import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.data.columns import column_order
from plausible.data.mapped import blocks, joined
from plausible.data.part import Data, Part

SEED = 0  # of every split: the same whatever the seed of training
HELDOUT_GOAL = 500  # held-out items that decide most questions of a verdict


def split(count: int, own_heldout: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of training, validation and held-out, a fixed permutation of range(count).

    Held-out is a fifth, at most 10,000, or the last ``own_heldout`` rows where the source has its own;
    between a fifth and three tenths where that makes it 500, with which a verdict can decide most
    questions.  Validation is a tenth of the rest, at most 5,000.
    """
    generator = torch.Generator().manual_seed(SEED)
    rows = torch.randperm(count - own_heldout, generator=generator)
    if own_heldout:
        heldout = torch.arange(count - own_heldout, count)
    else:
        last = min(max(count // 5, 1), 10_000)
        if last < HELDOUT_GOAL <= 3 * count // 10:
            last = HELDOUT_GOAL
        rows, heldout = rows[:-last], rows[-last:]
    middle = min(max(len(rows) // 10, 1), 5_000)
    return rows[:-middle], rows[-middle:], heldout


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
    return replace(
        data, train=train, validation=validation, heldout=heldout, notes=unsplit_notes(data)
    )


def half_of(data: Data, which: int) -> Data:
    """The same data with half 1 or half 2 of the training part, of as many items each; the other parts stay."""
    count = len(data.train) // 2
    if count < 2:
        raise UsageError(f"--half {which} of {len(data.train)} training items leaves too few")
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(SEED))
    rows = order[(which - 1) * count : which * count]
    note = f"half {which} of the training part: {count:,} of {len(data.train):,} items"
    return replace(data, train=data.train.rows(rows), notes=(*data.notes, note))


def with_heldout(data: Data, other: Data) -> Data:
    """Everything in ``data`` to learn from, everything in ``other`` held out.

    Columns are matched by name.  Where ``other`` has labels its classes must be among those of ``data``;
    where it has none, its points are held out without.
    UsageError: the two do not share columns, shape and levels, or classes, or are the same.
    """
    notes = list(unsplit_notes(data))
    other = _in_order(other, data.columns, notes)
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
    heldout = replace(heldout, y=y, space=data.space)
    return replace(data, train=_whole(data), heldout=heldout, notes=tuple(notes))


def split_notes(train: Part, validation: Part, heldout: Part) -> tuple[str, ...]:
    """How many items each part has, and how many held-out ones are learned from, too."""
    sizes = (
        f"{len(train):,} items to learn from, {len(validation):,} for validation, "
        f"{len(heldout):,} held out for evaluation"
    )
    return sizes, *copy_notes(train, heldout, validation)


def unsplit_notes(data: Data) -> tuple[str, ...]:
    """The notes of data without those on their split."""
    old = split_notes(data.train, data.validation, data.heldout)
    return tuple(note for note in data.notes if note not in old)


def copy_notes(train: Part, heldout: Part, *others: Part) -> tuple[str, ...]:
    """How many held-out items are exactly those of the training part, if any, and how many items differ at all."""
    learned, asked = set(_keys(train)), _keys(heldout)
    shared = sum(key in learned for key in asked)
    if not shared:
        return ()
    different = learned.union(asked, *(_keys(part) for part in others))
    count = len(train) + len(asked) + sum(map(len, others))
    share = f"{shared / len(asked):.0%}" if shared > 0.01 * len(asked) else "under 1%"
    return (
        f"{shared:,} of {len(asked):,} held-out items ({share}) are learned from, too: {count:,} items are "
        f"{len(different):,} different ones (leave out what is there twice; where few values are possible, "
        f"this is natural)",
    )


def _keys(part: Part) -> list[int]:
    """A number for each item, the same for equal ones."""
    keys: list[int] = []
    for block in blocks(part.values.cpu().numpy()):
        values = block + block.dtype.type(0)  # -0.0 is 0.0
        keys += [hash(row.tobytes()) for row in values]
    return keys


def _in_order(data: Data, columns: tuple[str, ...], notes: list[str]) -> Data:
    """The same data with its columns in the order of these."""
    if data.columns == columns or data.space.is_image:
        return data
    order = column_order(data.columns, columns, data.name, notes)
    train, validation, heldout = (
        replace(part, values=part.values[:, order])  # (N, D) -> (N, D)
        for part in (data.train, data.validation, data.heldout)
    )
    return replace(data, train=train, validation=validation, heldout=heldout, columns=columns)


def merge_parts(*parts: Part) -> Part:
    """Several parts of one data set as one, without labels where one of them has none."""
    labels = [part.y for part in parts if part.y is not None]
    if any(part.on_disk for part in parts):
        values = torch.from_numpy(joined([part.values.numpy() for part in parts]))
    else:
        values = torch.cat([part.values for part in parts])
    y = torch.cat(labels) if len(labels) == len(parts) else None
    return replace(parts[0], values=values, y=y)


def _whole(data: Data) -> Part:
    return merge_parts(data.train, data.validation, data.heldout)
