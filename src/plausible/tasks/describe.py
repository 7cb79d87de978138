"""What a data set holds, and what will be done with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from plausible.data.load import load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data

_UNREADABLE = 10  # files that are named
_COLUMNS = 20  # columns that are named
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
    def examples(self) -> Tensor:
        """Some items of the training part to look at, (n, *shape)."""
        few = _IMAGES if self.data.space.is_image else _POINTS
        return self.data.train.batch(torch.arange(min(len(self.data.train), few))).x


def describe(
    source: str | Path | Data = "digits",
    options: Options = DEFAULTS,
    progress: Callable[[int, int], None] | None = None,
) -> Description:
    """Shape, levels, classes, sizes, modes, files that cannot be read, and the split of a data set.

    progress  called with (files read, files) of a folder.
    """
    data = source if isinstance(source, Data) else load(str(source), options, progress)
    space, survey = data.space, data.survey
    facts = {
        "shape": " x ".join(map(str, space.shape)),
        "levels": str(space.levels or "continuous"),
    }
    if data.columns:
        listed = ", ".join(data.columns[:_COLUMNS])
        facts["columns"] = listed + ", ..." * (len(data.columns) > _COLUMNS)
    if data.label_column is not None:
        facts["class column"] = data.label_column
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
        facts["left out"] = f"{survey.ignored:,} files of no format that is read"
    for name, part in (
        ("training", data.train),
        ("validation", data.validation),
        ("held out", data.heldout),
    ):
        facts[name] = f"{len(part):,} items, sha256 {part.hash[:16]}"
    return Description(data, facts, data.notes)
