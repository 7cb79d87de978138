"""What a critic is shown of an image: all of it, its coarse shape, its fine detail, or its colours.

What differs in a view differs in the image: the total variation of views is no more than that of images.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, pad

from plausible.core.space import Space
from plausible.evaluation.critic.networks import bag_of_patches, convnet, perceptron_of_pixels
from plausible.evaluation.shrink import shrunk

SMALLEST = 8  # pixels a side for which convolutions are worth it
_COARSE = 8  # pixels a side of a shape
_WINDOW = 64  # pixels a side of fine detail, from the middle: it is the same everywhere
_GREYS = 16  # of each channel, counted one by one
_LARGEST = 64  # pixels a side at which colours are counted
_TONES = 4  # of each channel, counted together


@dataclass(frozen=True)
class View:
    """What of an image a critic sees, and the network that looks.

    see      x (N, C, H, W) in [0, 1] -> (N, c, h, w).
    network  (c, h, w) -> a module (N, c, h, w) -> (N, 1).
    least    channels that an image must have.
    small    whether what is seen is small enough to be kept for all images.
    """

    see: Callable[[Tensor], Tensor]
    network: Callable[[tuple[int, ...]], nn.Module]
    least: int = 1
    small: bool = False

    def fits(self, space: Space) -> bool:
        """Whether there is something to see."""
        return space.is_image and min(space.shape[1:]) >= SMALLEST and space.shape[0] >= self.least


def coarse(x: Tensor) -> Tensor:
    """Means of blocks, at most 8 x 8 and at most half as many as pixels: (N, C, H, W) -> (N, C, h, w)."""
    return shrunk(x, _COARSE, divisor=2)


def fine_detail(x: Tensor) -> Tensor:
    """x less its mean over 3 x 3 with weights 1, 2, 1; at most 64 x 64, from the middle: (N, C, h, w)."""
    height, width = (min(side, _WINDOW) for side in x.shape[2:])
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    x = x[..., top : top + height, left : left + width]
    smooth = pad(x, (1, 1, 1, 1), mode="replicate")
    smooth = (smooth[..., :-2, :] + 2 * smooth[..., 1:-1, :] + smooth[..., 2:, :]) / 4
    smooth = (smooth[..., :-2] + 2 * smooth[..., 1:-1] + smooth[..., 2:]) / 4
    return x - smooth


def colours(x: Tensor) -> Tensor:
    """Roots of the shares of colours at half the size, in each channel and in three together: (N, C, H, W) -> (N, q, 1, 1)."""
    x = shrunk(x, _LARGEST, divisor=2).flatten(2)  # (N, C, P)
    greys = one_hot((x * _GREYS).long().clamp(0, _GREYS - 1), _GREYS)  # (N, C, P, 16)
    tones = (x[:, :3] * _TONES).long().clamp(0, _TONES - 1)  # (N, 3, P)
    mixed = (tones * x.new_tensor([_TONES**2, _TONES, 1]).long()[:, None]).sum(1)  # (N, P)
    shares = [
        greys.float().mean(2).flatten(1),  # (N, 16 C)
        one_hot(mixed, _TONES**3).float().mean(1),  # (N, P, 64) -> (N, 64)
    ]
    return torch.cat(shares, 1).sqrt()[..., None, None]


WHOLE = "whole"
VIEWS = {
    WHOLE: View(lambda x: x, convnet),
    "shape": View(coarse, convnet, small=True),
    "texture": View(fine_detail, bag_of_patches),
    "colour": View(colours, perceptron_of_pixels, least=3, small=True),
}
"""{aspect: what is shown of it}."""
