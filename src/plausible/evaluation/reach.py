"""How far real data lie from the training part, and what lies farther: garbage."""

from dataclasses import dataclass

from torch import Tensor

from plausible.core.errors import NotDefined
from plausible.evaluation.metrics.neighbours import nearest
from plausible.evaluation.whitening import whitening

_RIDGE = 0.02  # of the mean eigenvalue, added before whitening: small, so that noise stands out
_CHANCE = 1 / 500  # share of training examples that count as outliers
_BEYOND = 1.3  # times as far off as those
_QUANTILE = 5000  # training examples whose distances give the quantile, at most


@dataclass(frozen=True)
class Reach:
    """Where real data are: within ``limit`` of a training example.

    train  (m, p), the training examples in the whitened coordinates
    white  (p, p), that x @ white takes x to.
    """

    train: Tensor
    white: Tensor
    limit: float

    def misses(self, points: Tensor) -> Tensor:
        """Whether a point lies farther from all training examples than real data do: (n, p) -> (n,) bool."""
        return nearest(points @ self.white, self.train, 1)[0][:, 0] > self.limit


def reach(train: Tensor) -> Reach:
    """limit = 1.3 times the 99.8% quantile of the distance of a training example to its nearest other one: (m, p).

    Distances are whitened by the covariance of the training examples, or noise would hide: what leaves the
    directions in which real data vary is not far in pixels.
    Raises ``NotDefined`` for fewer than 3 examples, or where nothing varies.
    """
    if len(train) < 3:
        raise NotDefined(
            f"{len(train)} training examples are too few to say how far apart they are"
        )
    white = whitening(train - train.mean(0), _RIDGE)
    train = train @ white
    # the nearest of its own kind is itself, so the second counts
    apart = nearest(train[:_QUANTILE], train, 2)[0][:, 1]
    return Reach(train, white, _BEYOND * float(apart.quantile(1 - _CHANCE)))
