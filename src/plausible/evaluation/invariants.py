"""What never varies in the training part of vectors: constant coordinates, and sums that always hold.

Features drop such directions, and deviations from them would go unseen by every distance.
"""

import torch
from torch import Tensor

from plausible.evaluation.features import Features

_ROUNDING = 1e-6  # of its size, by which float32 lets a constant vary
_UNIT = 0.1  # of its size, what counts as a deviation where a coordinate has none
_NOISE = 1e-8  # of the variance of a coordinate, below which a direction does not vary
_ENOUGH = 3  # examples a coordinate from which a direction without variance is no accident
_WIDE = 1024  # coordinates beyond which only single ones are looked at
_SURE = (
    10.0  # deviations that what never varied counts for at most, far more than between neighbours
)
_ROWS = 1000


def standardised(x: Tensor) -> Features:
    """(x - mean) / deviation, with the mean and the deviation of x (N, D).

    A constant c has no deviation: it counts a tenth of |c|, or where c is 0 the median of the others'.
    """
    mean, scale = x.mean(0), x.std(0, correction=0)  # (N, D) -> (D,)
    still = _constant(x)
    others = scale[~still].median() if not still.all() else scale.new_ones(())
    size = torch.where(x[0] == 0, others, _UNIT * x[0].abs())
    mean, scale = torch.where(still, x[0], mean), torch.where(still, size, scale)
    return lambda x: (x - mean.to(x)) / scale.to(x)


def never_varying(x: Tensor) -> Tensor | None:
    """Orthonormal directions of the standardised x (N, D) without variance, (D, k), or None.

    Those of constant coordinates, and of at most 1,024 coordinates with 3 examples each all others, such as a sum
    that always holds.
    """
    count, dims = x.shape
    if count < 2 * _ENOUGH:
        return None
    if dims > _WIDE or count < _ENOUGH * dims:
        axes = _unit_vectors(_constant(x))
        return axes if axes.shape[1] else None
    rows = standardised(x)(x).double()
    rows = rows - rows.mean(0)
    values, vectors = torch.linalg.eigh(rows.T @ rows / count)  # (D,), (D, D)
    axes = vectors[:, values <= _NOISE].to(x)
    return axes if axes.shape[1] else None


def deviations(extract: Features, x: Tensor, axes: Tensor) -> Features:
    """The features and one more, u 10 tanh |z . axes|, z standardised: (N, D) -> (N, d + 1).

    u is the mean deviation of the features of x, so that what never varied weighs as much as ten deviations of a
    feature as soon as it does, and a hundredth of its size as one.
    """
    scaled = standardised(x)
    with torch.no_grad():
        unit = extract(x[:_ROWS]).float().reshape(len(x[:_ROWS]), -1).std(0).mean().item() or 1.0

    def extended(x: Tensor) -> Tensor:
        features = extract(x)
        features = features.reshape(len(x), -1)  # (N, *) -> (N, d)
        off = (scaled(x) @ axes.to(x)).norm(dim=1, keepdim=True)  # (N, 1)
        return torch.cat([features, (unit * _SURE * off.tanh()).to(features)], 1)

    return extended


def _constant(x: Tensor) -> Tensor:
    """Which coordinates of x (N, D) never vary, (D,) bool."""
    return x.amax(0) - x.amin(0) <= _ROUNDING * x.abs().amax(0)


def _unit_vectors(still: Tensor) -> Tensor:
    """The unit vectors of these coordinates, (D,) bool -> (D, k)."""
    rows = still.nonzero()[:, 0]
    axes = torch.zeros(len(still), len(rows))
    axes[rows, torch.arange(len(rows))] = 1.0
    return axes
