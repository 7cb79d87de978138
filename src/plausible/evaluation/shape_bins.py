"""Modes of data without labels: bins of k-means on shapes, or on standardised coordinates of vectors."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from plausible.data.part import Part
from plausible.evaluation.metrics.histogram import kmeans_bins
from plausible.evaluation.shapes import shapes

FINE = (25, 20)
"""Held-out examples in a bin, about, and the most bins, where something may be missing."""
COARSE = (100, 10)
"""The same where shares are compared: fewer are compared more surely."""

_LEARN = 5000  # training examples that place the bins


Bins = Callable[[Part], Tensor]
"""points (N) -> their bins (N,)."""

_made: WeakKeyDictionary[Part, dict[tuple[int, int, int], Bins]] = WeakKeyDictionary()


def shape_bins(train: Part, held: int, full: int, most: int) -> Bins:
    """points (N) -> their bins (N,): as many as leave ``full`` of ``held`` points in each, from 2 to ``most``.

    The same for the same training part, so that what is planted by bins is what a test by bins looks for; placed once.
    """
    known = _made.setdefault(train, {})
    if (held, full, most) not in known:
        known[held, full, most] = _placed(train, min(max(held // full, 2), most))
    return known[held, full, most]


def _placed(train: Part, count: int) -> Bins:
    generator = torch.Generator().manual_seed(0)
    known = shapes(train.rows(torch.randperm(len(train), generator=generator)[:_LEARN]))  # (n, p)
    middle, scale = known.mean(0), known.std(0, correction=0).clamp(min=1e-6)
    if train.space.is_image:
        middle, scale = torch.zeros_like(middle), torch.ones_like(scale)
    bins, _ = kmeans_bins((known - middle) / scale, count, generator)

    def assign(points: Part) -> Tensor:
        seen = (shapes(points) - middle) / scale
        return bins(seen, seen)

    return assign
