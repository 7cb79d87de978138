"""How much of an image is flat: pixels that have the very colour of their neighbours, as in sprites and drawings."""

import torch
from torch import Tensor

from plausible.core.examples import Examples, batches

_LOOKED_AT = 2000  # images, at most
_AT_ONCE = 100  # which bounds the memory that large ones take


def flat_share(images: Examples) -> float:
    """Of how many pairs of neighbouring pixels both have the same colour to the last level: the median over images.

    Of at most 2,000 images, evenly spaced.
    """
    few = images.rows(slice(0, None, -(-len(images) // _LOOKED_AT)))
    return torch.cat([flat_shares(batch.x) for batch in batches(few, _AT_ONCE)]).median().item()


def flat_shares(x: Tensor) -> Tensor:
    """The same of each image, 1 where it is a single pixel: x (N, C, H, W) -> (N,)."""
    across = (x[..., 1:] == x[..., :-1]).all(1).flatten(1)  # (N, C, H, W) -> (N, H (W - 1))
    down = (x[:, :, 1:] == x[:, :, :-1]).all(1).flatten(1)  # (N, C, H, W) -> (N, (H - 1) W)
    return torch.cat([across, down], 1).float().mean(1).nan_to_num(nan=1.0)
