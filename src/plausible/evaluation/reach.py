"""How far real data lie from the training part, and what lies farther: garbage."""

from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.errors import NotDefined
from plausible.evaluation.metrics.neighbours import nearest
from plausible.evaluation.whitening import whitening

_RIDGE = 0.02  # of the mean eigenvalue, added before whitening: small, so that noise stands out
_CHANCE = 1 / 500  # share of real examples that count as outliers
_BEYOND = 1.3  # times as far off as those
_QUANTILE = 5000  # training examples whose distances give the quantile, at most
_FLAT = (
    0.1  # of the deviation of all pixels, added to that of an image: what is flat stays nearly so
)


@dataclass(frozen=True)
class Reach:
    """Where real data are: within ``limit`` of a training example.

    known  (m, p), training examples in the whitened coordinates.
    white  (p, p), that x @ white takes x to.
    flat   the deviation that is added to an image's own; None of vectors.
    """

    known: Tensor
    white: Tensor
    limit: float
    flat: float | None

    def misses(self, points: Tensor) -> Tensor:
        """Whether a point lies farther from all those examples than real data do: (n, p) -> (n,) bool."""
        return (
            nearest(_pattern(points, self.flat) @ self.white, self.known, 1)[0][:, 0] > self.limit
        )


def reach(train: Tensor, images: bool = False) -> Reach:
    """limit = 1.3 times the 99.8% quantile of the distance of one half of the examples to their nearest of the other: (m, p).

    Distances are whitened by the covariance of the other half, or noise would hide: what leaves the directions in
    which real data vary is not far in pixels.  By the other half, since coordinates that were whitened by an example
    itself put it too near.  Images are compared less their mean and over their deviation, or what has little contrast
    would be near to everything.
    Raises ``NotDefined`` for fewer than 4 examples, or where nothing varies.
    """
    if len(train) < 4:
        raise NotDefined(
            f"{len(train)} training examples are too few to say how far apart they are"
        )
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    flat = _FLAT * float(train.std()) if images else None
    known, others = _pattern(train[order], flat).tensor_split(2)
    white = whitening(known - known.mean(0), _RIDGE)
    known = known @ white
    apart = nearest(others[:_QUANTILE] @ white, known, 1)[0][:, 0]
    return Reach(known, white, _BEYOND * float(apart.quantile(1 - _CHANCE)), flat)


def _pattern(points: Tensor, flat: float | None) -> Tensor:
    """Images less their mean, over their deviation: (n, p); vectors as they are."""
    if flat is None:
        return points
    centred = points - points.mean(1, keepdim=True)
    return centred / (points.std(1, keepdim=True, correction=0) + flat).clamp(min=1e-12)
