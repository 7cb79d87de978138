"""Defects planted into real data at a stated strength: what shows whether a test sees them on these very data.

The generator of each defect stands beside its test in the files of this folder.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from plausible.data.part import Part
from plausible.evaluation.shape_bins import FINE, shape_bins

_LEARN = 5000  # training examples whose means are taken


@dataclass(frozen=True, eq=False)
class Planted:
    """A defect in N real points, in V variants of which a set of samples has one.

    points   (N): every point as it would be with the defect.
    changed  (V, N) the chance that a point among the samples has it; the others stay as they are.
    kept     (V, N) the chance that a point is among the samples.
    """

    points: Part
    changed: Tensor
    kept: Tensor

    def variants(self) -> int:
        """V."""
        return len(self.changed)


Plant = Callable[[Part, Part, float, Generator], Planted]
"""(fresh real points, training part, effect in the units of the defect's margin, generator) -> the defect planted."""


def everywhere(points: Part) -> Planted:
    """Every sample has the defect."""
    return some_of(points, 1.0)


def some_of(points: Part, share: float) -> Planted:
    """This share of the samples has the defect, at random."""
    return Planted(points, torch.full((1, len(points)), share), torch.ones(1, len(points)))


def left_out(points: Part, kept: Tensor) -> Planted:
    """No sample is changed, but some are missing: kept (V, N) is the chance of a point to stay."""
    return Planted(points, torch.zeros_like(kept), kept)


def in_groups(points: Part, groups: Tensor) -> Planted:
    """All samples of one group have the defect, of another one in each variant: groups (N,)."""
    changed = torch.stack([(groups == k).float() for k in groups.unique()])  # (V, N)
    return Planted(points, changed, torch.ones_like(changed))


def sampled(planted: Planted, real: Part, generator: Generator) -> Part:
    """Samples with the defect, drawn from the real points that it was planted into: at most N, in their order."""
    variant = int(torch.randint(planted.variants(), (1,), generator=generator))
    changed, kept = (
        torch.rand(len(real), generator=generator) < chance[variant]
        for chance in (planted.changed, planted.kept)
    )
    shape = (-1, *[1] * (real.values.ndim - 1))
    values = torch.where(changed.view(shape), planted.points.values, real.values)
    return Part(values, real.y, real.space).rows(kept.nonzero()[:, 0])


def with_x(part: Part, x: Tensor) -> Part:
    """Other points in the place of these, with their labels; images rounded to the levels: x (N, *shape)."""
    space = part.space
    return Part(space.codes(x) if space.levels else x, part.y, space)


def groups(
    points: Part, train: Part, generator: Generator, full: int = FINE[0], most: int = FINE[1]
) -> tuple[Tensor, Tensor]:
    """(the group of each point (N,), the means of the groups (K, *shape)): classes, or bins as ``shape_bins`` has them."""
    few = train.rows(torch.randperm(len(train), generator=generator)[:_LEARN])
    if few.y is not None and points.y is not None:
        mine, theirs = points.y, few.y
    else:
        bins = shape_bins(train, len(points), full, most)
        mine, theirs = bins(points), bins(few)
    x = few.as_batch().x
    total = int(max(mine.max(), theirs.max())) + 1
    sums = x.new_zeros(total, *x.shape[1:]).index_add_(0, theirs, x)
    counts = torch.bincount(theirs, minlength=total).clamp(min=1)
    return mine, sums / counts.view(-1, *[1] * (x.ndim - 1))
