"""What a data set holds, and what will be done with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from plausible.data.flat import flat_share
from plausible.data.load import load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data

_UNREADABLE = 10  # files that are named
_COLUMNS = 40  # columns that are named
_CLASSES = 5  # classes of a column that are named
_POINTS, _IMAGES = 5000, 64  # that a picture shows


@dataclass(frozen=True, eq=False)
class Description:
    """A data set in words.

    facts    {what: found} in the order in which a person asks.
    notes    sentences on what was decided, and how to decide otherwise.
    """

    data: Data
    facts: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def shown(self) -> str:
        """What the examples are, as the title of a picture."""
        shown, there = len(self.examples), len(self.data.train)
        many = f"all {there:,}" if shown == there else f"{shown:,} of {there:,}"
        return f"{self.data.name}: {many} items to learn from"

    @property
    def examples(self) -> Tensor:
        """Some items of the training part to look at, (n, *shape)."""
        few = _IMAGES if self.data.space.is_image else _POINTS
        return self.data.train.batch(torch.arange(min(len(self.data.train), few))).x


def describe(
    source: Any = "digits",
    options: Options = DEFAULTS,
    progress: Callable[[int, int], None] | None = None,
) -> Description:
    """Shape, levels, columns, classes, sizes, modes, files that cannot be read, and the split of a data set.

    source    ``Data``, or whatever ``load`` takes.
    progress  called with (files read, files) of a folder.
    """
    data = source if isinstance(source, Data) else load(source, options, progress)
    space, survey = data.space, data.survey
    facts = {
        "shape": " x ".join(map(str, space.shape)),
        "levels": str(space.levels or "continuous"),
    }
    if not space.is_image:
        facts["columns"] = _columns(data)
    else:
        facts["flat areas"] = (
            f"{flat_share(data.train):.0%} of neighbouring pixels have the same colour"
        )
    for name, counts in (
        ("classes", survey.classes),
        ("sizes", survey.sizes),
        ("modes", survey.modes),
    ):
        if counts:
            facts[name] = ", ".join(f"{k}: {v:,}" for k, v in counts.items())
    if survey.unreadable:
        shown = [f"{file}: {reason}" for file, reason in survey.unreadable[:_UNREADABLE]]
        facts[f"skipped ({len(survey.unreadable)})"] = "\n".join(shown)
    if survey.ignored:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in survey.ignored.most_common())
        facts["left out"] = f"{kinds}: files of no format that is read"
    for name, part in (
        ("training", data.train),
        ("validation", data.validation),
        ("held out", data.heldout),
    ):
        facts[name] = f"{len(part):,} items, sha256 {part.hash[:16]}"
    return Description(data, facts, data.notes)


def _columns(data: Data) -> str:
    """Each column of a table on a line: its name, what it is taken for, and its values."""
    parts = [part.values for part in (data.train, data.validation, data.heldout)]
    low, high = torch.cat([torch.stack(part.aminmax(dim=0)) for part in parts]).aminmax(dim=0)
    names = data.columns or tuple(str(k + 1) for k in range(data.space.dims))
    rows = []
    for k, name in enumerate(names):
        kind = "whole numbers" if k in data.space.whole else "numbers"
        extent = (
            f"from {low[k]:.4g} to {high[k]:.4g}" if low[k] < high[k] else f"{low[k]:.4g} alone"
        )
        rows.append((name, f"{kind} {extent}"))
    if data.label_column is not None:
        counts = list(data.survey.classes.items())
        listed = ", ".join(f"{word} {count:,}" for word, count in counts[:_CLASSES])
        rows.append(
            (data.label_column, f"the class: {listed}" + ", ..." * (len(counts) > _CLASSES))
        )
    rows += [(name, why) for name, why in data.survey.left_out.items()]
    width = max(len(name) for name, _ in rows[:_COLUMNS])
    more = [f"... and {len(rows) - _COLUMNS} more"] if len(rows) > _COLUMNS else []
    return "\n".join([f"{name:{width}}  {what}" for name, what in rows[:_COLUMNS]] + more)
