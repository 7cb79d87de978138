"""Images made smaller by averaging."""

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d


def shrunk(x: Tensor, side: int, *, divisor: int = 1) -> Tensor:
    """Means of blocks: at most ``side`` pixels a side and at most one for ``divisor`` of them, (N, C, H, W) -> (N, C, h, w)."""
    height, width = (max(1, min(side, size // divisor)) for size in x.shape[2:])
    return adaptive_avg_pool2d(x, (height, width))


_SIDE = 16  # pixels a side to which an image is shrunk before raw distances are taken


def raw_pixels(x: Tensor) -> Tensor:
    """Pixels as raw distances see them, shrunk to at most 16 x 16: (N, C, H, W) -> (N, p)."""
    return (x if max(x.shape[2:]) <= _SIDE else shrunk(x, _SIDE)).flatten(1)
