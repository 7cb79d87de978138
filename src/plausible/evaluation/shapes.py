"""What is in an image, whatever its brightness, its contrast and its finest detail."""

import torch
from torch import Tensor

from plausible.data.part import Part
from plausible.evaluation.shrink import shrunk

_SIDE = 8  # pixels a side
_FLAT = 1e-2  # deviation below which an image is taken for constant
_CHUNK = 1024


def shape(x: Tensor) -> Tensor:
    """Means of blocks, at most 8 x 8 and half as many as pixels, less their mean, at unit deviation: (N, C, H, W) -> (N, p).

    Vectors (N, D) stay as they are.
    """
    if x.ndim != 4:
        return x
    small = shrunk(x, _SIDE, divisor=2).flatten(1)
    small = small - small.mean(1, keepdim=True)
    deviation = small.square().mean(1, keepdim=True).sqrt()
    return small / deviation.clamp(min=_FLAT)


def shapes(part: Part) -> Tensor:
    """That of every item, a chunk at a time: (N, p)."""
    return torch.cat([shape(part.batch(rows).x) for rows in torch.arange(len(part)).split(_CHUNK)])
