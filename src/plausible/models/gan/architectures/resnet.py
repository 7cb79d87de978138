"""Residual networks of pre-activation blocks: batch norm in G, none in D."""

import math
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from plausible.core.space import Space
from plausible.models.gan.architectures.trunks import Trunks, architectures
from plausible.nn.batch_norm import BatchNorm2d
from plausible.nn.networks import halvings, need_images


class Up(nn.Module):
    """shortcut + conv(relu(bn(conv(up(relu(bn(x))))))): (N, inputs, h, w) -> (N, outputs, *size)."""

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int]):
        super().__init__()
        self.size = size
        self.before = nn.Sequential(BatchNorm2d(inputs), nn.ReLU())
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, inputs, h, w) -> (N, outputs, *size)."""
        # (N, inputs, h, w) -> (N, inputs, *size) -> (N, outputs, *size)
        branch: Tensor = self.branch(interpolate(self.before(x), self.size))
        return branch + interpolate(self.shortcut(x), self.size)


class Down(nn.Module):
    """shortcut + pool(conv(relu(conv(relu(x))))): (N, inputs, h, w) -> (N, outputs, *size).

    first  the block that sees the image, without the first rectifier.
    """

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int], first: bool = False):
        super().__init__()
        self.size = size
        self.branch = nn.Sequential(
            nn.Identity() if first else nn.ReLU(),
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, inputs, h, w) -> (N, outputs, *size)."""
        # Pooling is linear, so it may come before the 1x1 convolution, where it costs less.
        short: Tensor = self.shortcut(adaptive_avg_pool2d(x, self.size))
        return adaptive_avg_pool2d(self.branch(x), self.size) + short


class Total(nn.Module):
    """sum over pixels of relu(x): (N, C, h, w) -> (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, h, w) -> (N, C)."""
        return x.relu().sum((2, 3))


@architectures
def resnet(space: Space, d_space: Space, inputs: int, width: int | None) -> Trunks:
    """Residual blocks from and to about 4x4 pixels, ``width`` channels (64) throughout; tanh at the end.

    Made for spectral norm (--spectral-norm) and the hinge loss.  For images with sides of 8 to 256.
    Width 256 for G and 128 for D is the published size for 32 pixels; here both have the same.
    Source: Miyato et al. 2018, https://arxiv.org/abs/1802.05957, appendix B.4.
    """
    need_images(space, "resnet")
    sizes, wide = halvings(*space.shape[1:]), width or 64
    generator = nn.Sequential(
        nn.Linear(inputs, wide * math.prod(sizes[-1])),
        nn.Unflatten(1, (wide, *sizes[-1])),
        *(Up(wide, wide, full) for full, _ in reversed(list(pairwise(sizes)))),
        BatchNorm2d(wide),
        nn.ReLU(),
        nn.Conv2d(wide, space.shape[0], 3, padding=1),
        nn.Tanh(),
    )
    down = [
        Down(wide if i else d_space.shape[0], wide, half, first=not i)
        for i, half in enumerate(sizes[1:])
    ]
    discriminator = nn.Sequential(*down, Down(wide, wide, sizes[-1]), Total())
    for network in (generator, discriminator):
        for layer in network.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                short = isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1)
                nn.init.xavier_uniform_(layer.weight, 1.0 if short else math.sqrt(2))
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    return Trunks(generator, discriminator, wide)
