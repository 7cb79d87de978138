"""Small convolutions whose upsampling leaves no grid: filtered each time, and smoothed once more at full size."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, pad

from plausible.core.space import Space
from plausible.models.gan.architectures.trunks import Trunks, architectures
from plausible.nn.networks import (
    DepthToSpace,
    SpaceToDepth,
    activation,
    channels_last,
    halvings,
    initialise,
    need_images,
    perceptron,
)

_TOP = 256  # units of the layer over all features that D's convolutions give
_HIDDEN = (256, 256)  # units of G's layers before the first pixels
_FIRST = 7  # pixels a side, at least, of the first image that G's perceptron makes
_FINE = (8, 16)  # channels that G has at the full size and at half of it


@architectures
def antialiased(space: Space, d_space: Space, inputs: int, width: int | None) -> Trunks:
    """G: a perceptron to about 8x8 pixels, 3x3 convolutions and bilinear doubling; D: strided convolutions
    to about 4x4 pixels and a layer of 256 units.

    Both work at the full size up to 16 pixels a side, at half of it up to 32 and at a quarter beyond, with
    ``width`` channels (16) there, doubled at each halving to at most 8 times that.  From there to the full size
    G has depth-to-space, a binomial filter and a convolution of few channels: depth-to-space alone leaves a
    grid, and the filter alone a blur.  For images of any channel count with sides of 8 to 256.
    Sources: Zhang 2019, https://arxiv.org/abs/1904.11486; Karras et al. 2021, https://arxiv.org/abs/2106.12423.
    """
    need_images(space, "antialiased")
    return filtered(space, d_space, inputs, width, _FINE)


def filtered(
    space: Space, d_space: Space, inputs: int, width: int | None, fine: tuple[int, int]
) -> Trunks:
    """The networks of ``antialiased``, whose G has so many channels at the full size and at half of it where it works at less."""
    base = width or 16
    generator = _generator(space.shape, inputs, base, fine)
    discriminator, features = _discriminator(d_space.shape, base)
    return Trunks(initialise(generator), initialise(discriminator), features)


class Bilinear(nn.Module):
    """Bilinear to another size: (N, C, h, w) -> (N, C, *size)."""

    def __init__(self, size: tuple[int, int]):
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, h, w) -> (N, C, *size)."""
        return interpolate(x, self.size, mode="bilinear", align_corners=False)


class Binomial(nn.Module):
    """Each channel smoothed by [1, 2, 1] / 4 in both directions, edges repeated: (N, C, h, w), same shape.

    It takes away the highest frequency alone, that of a checkerboard, and halves those of lines.
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", line[:, None] * line, persistent=False)  # (3, 3)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, h, w), same shape."""
        channels = x.shape[1]
        kernel = self.kernel.to(x.dtype).expand(channels, 1, 3, 3)  # (3, 3) -> (C, 1, 3, 3)
        return conv2d(edges_repeated(x), kernel, groups=channels)


def edges_repeated(x: Tensor) -> Tensor:
    """One more pixel on each side, as its neighbour: (N, C, h, w) -> (N, C, h + 2, w + 2)."""
    if not torch.compiler.is_compiling():
        return pad(x, (1, 1, 1, 1), mode="replicate")
    # torch's compiler cannot follow that one where channels come last
    x = torch.cat([x[:, :, :1], x, x[:, :, -1:]], 2)
    return torch.cat([x[..., :1], x, x[..., -1:]], 3)


def patch(height: int, width: int) -> int:
    """Pixels of the image a side to one of the size at which most convolutions work: 1, 2 or 4."""
    side = max(height, width)
    return 1 if side <= 16 else 2 if side <= 32 else 4


def _generator(
    shape: tuple[int, ...], inputs: int, base: int, fine: tuple[int, int]
) -> nn.Sequential:
    """(N, inputs) -> (N, *shape)."""
    image, *finer = _to_the_full_size(*shape[1:])
    sizes = [size for i, size in enumerate(halvings(*image)) if not i or min(size) >= _FIRST]
    wide = [base * min(2**i, 8) for i in range(len(sizes))]
    layers: list[nn.Module] = [
        perceptron(inputs, *_HIDDEN, wide[-1] * math.prod(sizes[-1])),
        nn.Unflatten(1, (wide[-1], *sizes[-1])),
        activation(),
    ]
    for (size, outputs), (_, features) in reversed(list(pairwise(zip(sizes, wide, strict=True)))):
        # (N, features, h / 2, w / 2) -> (N, outputs, h, w), convolved where that costs a quarter
        layers += [nn.Conv2d(features, outputs, 3, padding=1), Bilinear(size), activation()]
    features = base
    for size, outputs in zip(finer, reversed(fine[: len(finer)]), strict=True):
        # (N, features, h / 2, w / 2) -> (N, outputs, h, w)
        layers += [nn.Conv2d(features, 4 * outputs, 3, padding=1), DepthToSpace(*size)]
        layers += [Binomial(), activation()]
        features = outputs
    layers.append(nn.Conv2d(features, shape[0], 3, padding=1))  # -> (N, *shape)
    return channels_last(nn.Sequential(*layers))


def _discriminator(shape: tuple[int, ...], base: int) -> tuple[nn.Sequential, int]:
    """(N, *shape) -> (N, features), and how many features."""
    sizes, p = halvings(*_to_the_full_size(*shape[1:])[0]), patch(*shape[1:])
    wide = [base * min(2**i, 8) for i in range(len(sizes))]
    layers: list[nn.Module] = [SpaceToDepth(p)]  # (N, C, H, W) -> (N, p^2 C, H / p, W / p)
    layers += [nn.Conv2d(p * p * shape[0], base, 3, padding=1), activation()]
    for features, outputs in pairwise(wide):
        # (N, features, h, w) -> (N, outputs, h // 2, w // 2)
        layers += [nn.Conv2d(features, outputs, 4, stride=2, padding=1), activation()]
    layers += [nn.Flatten(), nn.Linear(wide[-1] * math.prod(sizes[-1]), _TOP), activation()]
    return channels_last(nn.Sequential(*layers)), _TOP


def _to_the_full_size(height: int, width: int) -> list[tuple[int, int]]:
    """The size at which most convolutions work, and its doublings up to the full one, each rounded up."""
    p = patch(height, width)
    return [(-(-height // q), -(-width // q)) for q in (4, 2, 1) if q <= p]
