"""A data set in three parts, each kept on its device the way it is stored."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from plausible.core import notebook
from plausible.core.likelihood import LogProb
from plausible.core.space import Batch, Space
from plausible.data.mapped import taken
from plausible.data.options import DEFAULTS, Options

_SHOWN = 32  # items in a notebook


@dataclass(frozen=True, eq=False)
class Part:
    """N items: gathered and decoded on the device, a batch at a time.

    values  (N, C, H, W) uint8 codes for images; (N, D) float32 in data units for vectors.
    y       (N,) int64 labels, or None.
    space   where the items of a batch live.
    grey_levels   dynamic binarisation: ``values`` are codes of this many, and each use draws each
            pixel 1 with its grey value as probability (space.levels is then 2).
    batches_on    ``values`` are a mapped file on the disk, and this is the device that batches of them go to; None:
            they are in memory, on the device where they are used.
    """

    values: Tensor
    y: Tensor | None
    space: Space
    grey_levels: int | None = None
    batches_on: torch.device | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        classes = "" if self.y is None else f", {self.space.classes} classes"
        return f"Part of {len(self):,} {self.kind}{classes}"

    def _repr_html_(self) -> str:
        return notebook.line(repr(self)) + self.shown()

    @property
    def kind(self) -> str:
        """What the items are, in words: "images 8x8 on 17 levels", "vectors of 2 numbers"."""
        space = self.space
        if not space.is_image:
            return f"vectors of {space.dims} number{'s' * (space.dims != 1)}"
        channels, height, width = space.shape
        colours = {1: "", 3: " in colour", 4: " in colour with alpha"}
        of = colours.get(channels, f" of {channels} channels")
        return f"images {width}x{height}{of} on {space.levels} levels"

    def shown(self, names: Sequence[str] = (), columns: Sequence[str] = ()) -> str:
        """The first items as HTML, with their classes, numbered or by name.

        columns  the names of the coordinates of vectors.
        """
        few = self.batch(slice(0, _SHOWN))
        labels = [] if few.y is None else [names[k] if names else str(k) for k in few.y.tolist()]
        return notebook.points(few.x, labels, columns)

    def __getitem__(self, index: int) -> tuple[Tensor] | tuple[Tensor, int]:
        """One item, as of a torch Dataset: (x, y), or (x,) without labels; x (*shape) float32 as in a ``Batch``."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        one = self.batch(slice(index % len(self), index % len(self) + 1))
        return (one.x[0],) if one.y is None else (one.x[0], int(one.y[0]))

    def to(self, device: torch.device | str) -> "Part":
        """The same part on another device; of values on the disk that is where batches of them go."""
        if self.on_disk:
            moved = replace(self, batches_on=torch.device(device))
            vars(moved).update({name: kept for name, kept in vars(self).items() if name == "hash"})
            return moved
        moved = replace(
            self,
            values=self.values.to(device),
            y=None if self.y is None else self.y.to(device),
        )
        if "hash" in vars(self):  # the content is the same, and hashing it again is slow on a GPU
            vars(moved)["hash"] = self.hash
        return moved

    def rows(self, rows: Tensor | slice) -> "Part":
        """These items as a part of their own."""
        y = None if self.y is None else self.y[rows]
        if self.on_disk and isinstance(rows, Tensor):
            values = torch.from_numpy(taken(self.values.numpy(), rows.cpu().numpy()))
            return replace(self, values=values, y=y)
        return replace(self, values=self.values[rows], y=y)

    def every_kth(self, n: int) -> "Part":
        """About n items, every k-th one: files often have an order."""
        return self.rows(slice(None, None, max(1, len(self) // n)))

    def frozen(self, seed: int) -> "Part":
        """The part with nothing left to chance: dynamic binarisation is drawn once."""
        if self.grey_levels is None:
            return self
        return Part(self.space.codes(self.as_batch(seed).x), self.y, self.space)

    def batch(self, rows: Tensor | slice) -> Batch:
        """The items of these rows (indices (n,) int64, or a slice): x (n, *shape) float32, y (n,).

        Dynamic binarisation draws from torch's default generator of the device.
        """
        return self.decoded(*self.stored(rows))

    def stored(self, rows: Tensor | slice) -> tuple[Tensor, Tensor | None]:
        """The values and labels of these rows as they are stored and where they are: the first half of ``batch``."""
        if isinstance(rows, Tensor):
            rows = rows.to(self.values.device)
        values = _taken(self.values, rows)  # (N, *shape) -> (n, *shape)
        return values, None if self.y is None else _taken(self.y, rows)  # (N,) -> (n,)

    def decoded(self, values: Tensor, y: Tensor | None) -> Batch:
        """Stored values and labels as a batch, where batches are used: the second half of ``batch``."""
        values, y = self._brought(values), None if y is None else self._brought(y)
        if self.grey_levels is not None:
            greys = self._greys(values)
            ones = torch.rand_like(greys) < greys  # faster than bernoulli
            return Batch(ones.to(greys.dtype), y)
        return Batch(self._decoded(values), y)

    def as_batch(self, seed: int = 0) -> Batch:
        """The whole part as one batch; dynamic binarisation draws from a generator of this seed."""
        y = None if self.y is None else self._brought(self.y)
        if self.grey_levels is None:
            return Batch(self._decoded(self._brought(self.values)), y)
        # drawn on the CPU, so that the same seed gives the same pixels on every device
        generator = torch.Generator().manual_seed(seed)
        x = torch.bernoulli(self._greys(self.values.cpu()), generator=generator)
        return Batch(x.to(self.batches_on or self.values.device), y)

    @cached_property
    def hash(self) -> str:
        """sha256 (hex) of shapes, types, values, labels, levels: equal on every machine."""
        levels = f"levels {self.space.levels} greys {self.grey_levels}"
        digest = hashlib.sha256(levels.encode())
        for tensor in (self.values, self.y):
            if tensor is not None:
                array = np.ascontiguousarray(tensor.cpu().numpy())
                array = array.astype(array.dtype.newbyteorder("<"), copy=False)
                digest.update(f"{array.shape} {tensor.dtype}".encode())
                digest.update(array.data)
        return digest.hexdigest()

    @property
    def on_disk(self) -> bool:
        """Whether its values lie in a mapped file, of which only what is asked for is read."""
        return self.batches_on is not None

    def _brought(self, tensor: Tensor) -> Tensor:
        """The tensor where batches are used."""
        if self.batches_on is None:
            return tensor
        return tensor.to(self.batches_on, non_blocking=True)

    def _greys(self, values: Tensor) -> Tensor:
        assert self.grey_levels is not None
        return values.to(torch.float32).div_(self.grey_levels - 1)

    def _decoded(self, values: Tensor) -> Tensor:
        if self.space.levels is None:  # a copy: changing a batch must not change the data
            return values.to(torch.float32, copy=True)
        return self.space.decode(values)


def _taken(values: Tensor, rows: Tensor | slice) -> Tensor:
    # on the CPU index_select is many times faster than values[rows]
    return values[rows] if isinstance(rows, slice) else values.index_select(0, rows)


@dataclass(frozen=True)
class Survey:
    """What was found in a source, in counts.

    count      items in use.
    classes    {name: items}, empty without labels.
    sizes      {"WxH": items} as stored (images upright), before any resizing.
    modes      {"RGB, PNG": items}.
    unreadable (file, reason) of each file that could not be read and was skipped.
    ignored    {".txt": files} that are of no format that is read.
    value_range   the numbers of the source that are black and white; None for vectors.
    left_out   {column: why} of those of a table that are no coordinates.
    marked     images that say that a model drew them.
    """

    count: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    sizes: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    unreadable: tuple[tuple[str, str], ...] = ()
    ignored: Counter[str] = field(default_factory=Counter)
    value_range: tuple[float, float] | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    marked: int = 0


@dataclass(frozen=True, eq=False)
class Data:
    """A data set: what to learn from, what to tune on, and what only evaluation reads.

    name         short, for the names of run folders.
    class_names  what the source calls label 0, 1, ...; empty without labels.
    notes        sentences for people: what was found, what was decided, how to decide otherwise.
    log_prob     the true density, for toys that know it.
    source, options  what ``load`` was asked for, so that a run can ask again.
    columns      what the source calls the D coordinates of vectors; empty where it has no names.
    label_column what the source calls the column that holds the classes.
    """

    name: str
    space: Space
    train: Part
    validation: Part
    heldout: Part
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    survey: Survey = field(default_factory=Survey)
    log_prob: Callable[[Tensor], LogProb] | None = None
    source: str = ""
    options: Options = DEFAULTS
    columns: tuple[str, ...] = ()
    label_column: str | None = None

    def __repr__(self) -> str:
        parts = (
            (self.train, "training"),
            (self.validation, "validation"),
            (self.heldout, "held-out"),
        )
        counts = ", ".join(f"{len(part):,} {name}" for part, name in parts)
        classes = f", {self.space.classes} classes" if self.space.classes else ""
        return f"Data {self.name!r}: {counts} {self.train.kind}{classes}"

    def _repr_html_(self) -> str:
        return notebook.line(repr(self)) + self.train.shown(self.class_names, self.columns)

    @property
    def hashes(self) -> dict[str, str]:
        """{part: sha256}, what a run records to know its data again."""
        return {
            "train": self.train.hash,
            "validation": self.validation.hash,
            "heldout": self.heldout.hash,
        }

    def to(self, device: torch.device | str) -> "Data":
        """The same data with all three parts on another device."""
        return replace(
            self,
            train=self.train.to(device),
            validation=self.validation.to(device),
            heldout=self.heldout.to(device),
        )
