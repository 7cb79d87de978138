"""Images made smaller by averaging."""

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d


def shrunk(x: Tensor, side: int, *, divisor: int = 1) -> Tensor:
    """Means of blocks: at most ``side`` pixels a side and at most one for ``divisor`` of them, (N, C, H, W) -> (N, C, h, w)."""
    height, width = (max(1, min(side, size // divisor)) for size in x.shape[2:])
    return adaptive_avg_pool2d(x, (height, width))
