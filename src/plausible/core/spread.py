"""How far the coordinates of vectors are spread, which are the units that a model has for them."""

import torch
from torch import Tensor

_ROUNDING = 1e-6  # of the mean, below which a deviation is rounding
_NARROW = 1e-3  # of the spread in all data, below which that of one class is no unit: nothing else would be near it


def mean_and_spread(x: Tensor, whole: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each coordinate of x (N, *shape), where it does not vary 1 in place of the latter.

    whole  (*shape): the standard deviations in all data, of which x are a class.  They are taken in place of those of x
           that are less than a thousandth of them.
    """
    mean, spread = x.mean(0), x.std(0, correction=0)  # (N, *shape) -> (*shape)
    instead = torch.ones_like(spread) if whole is None else whole
    least = _ROUNDING * mean.abs()
    if whole is not None:
        least = torch.maximum(least, _NARROW * whole)
    return mean, torch.where(spread > least, spread, instead)
