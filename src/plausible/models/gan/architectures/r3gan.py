"""The networks of R3GAN: residual blocks of grouped convolutions, no normalisation, mirror images."""

import math
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.models.gan.architectures.trunks import Trunks, architectures
from plausible.nn.networks import channels_last, need_images

L = TypeVar("L", nn.Conv2d, nn.Linear)
_GROUP = 16  # channels of a group
_BLOCKS = 2  # a stage
_GAIN = math.sqrt(2 / (1 + 0.2**2))


class Resample(nn.Module):
    """Bilinear to another size, each way: between a size and its half the kernel is [1, 3, 3, 1]."""

    def __init__(self, size: tuple[int, int]):
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, h, w) -> (N, C, *size)."""
        # In float32, because not every processor can do it in bfloat16.
        return interpolate(x.float(), self.size, mode="bilinear", antialias=True).to(x.dtype)


class Biased(nn.Module):
    """max(a, 0.2 a) of a = x + b, one b a channel: (N, C, h, w), same shape."""

    def __init__(self, channels: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, h, w), same shape."""
        return leaky_relu(x + self.bias.to(x.dtype), 0.2)


class Block(nn.Module):
    """x + W3 act(W2 act(W1 x)): 1x1 to twice the channels, 3x3 in groups, 1x1 back, at first 0.

    depth  blocks in the network: weights of the branch are smaller by depth^(-1/4), so that with
           zeros at its end the whole learns as fast as one block (Zhang et al. 2019,
           https://arxiv.org/abs/1901.09321).
    """

    def __init__(self, channels: int, depth: int):
        super().__init__()
        wide = 2 * channels
        grouped = nn.Conv2d(wide, wide, 3, padding=1, groups=wide // _GROUP, bias=False)
        self.branch = nn.Sequential(
            _scaled(nn.Conv2d(channels, wide, 1, bias=False), _GAIN * depth**-0.25),
            Biased(wide),
            _scaled(grouped, _GAIN * depth**-0.25),
            Biased(wide),
            _scaled(nn.Conv2d(wide, channels, 1, bias=False), 0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, h, w), same shape."""
        branch: Tensor = self.branch(x)
        return x + branch


class Basis(nn.Module):
    """A learned image of the first size, each channel times its share of z: (N, d) -> (N, C, h, w)."""

    def __init__(self, inputs: int, channels: int, size: tuple[int, int]):
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, *size))
        self.share = _scaled(nn.Linear(inputs, channels, bias=False), 1.0)

    def forward(self, z: Tensor) -> Tensor:
        """z (N, d) -> (N, C, h, w)."""
        share: Tensor = self.share(z)  # (N, d) -> (N, C)
        return share[:, :, None, None] * self.basis  # -> (N, C, h, w)


def stages(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes, the smallest first, about 4x4; each is half of the next, rounded up."""
    sizes = [(height, width)]
    while min(sizes[0]) > 5:
        h, w = sizes[0]
        sizes.insert(0, (-(-h // 2), -(-w // 2)))
    return sizes


@architectures
def r3gan(space: Space, d_space: Space, inputs: int, width: int | None) -> Trunks:
    """Stages of bilinear resampling and two residual blocks, from about 4x4 pixels and back to it.

    ``width`` channels (128) at the two smallest sizes, then half as many at each doubling, at least
    16.  No bias but one before each activation.  For images with sides of 16 to 256.  The published
    networks have 768 channels at the smallest sizes; they are meant for GPUs.
    Source: Huang et al. 2024, https://arxiv.org/abs/2501.05441.
    """
    need_images(space, "r3gan", 16)
    base = width or 128
    if base % _GROUP:
        raise UsageError(f"--width of r3gan must be a multiple of {_GROUP}, not {base}")
    sizes = stages(*space.shape[1:])
    wide = [max(base >> max(i - 1, 0), _GROUP) // _GROUP * _GROUP for i in range(len(sizes))]
    depth, last = _BLOCKS * len(sizes), wide[-1]

    def blocks(channels: int) -> list[nn.Module]:
        return [Block(channels, depth) for _ in range(_BLOCKS)]

    def change(before: int, after: int) -> list[nn.Module]:
        return [] if before == after else [_scaled(nn.Conv2d(before, after, 1, bias=False), 1.0)]

    up: list[nn.Module] = [Basis(inputs, wide[0], sizes[0]), *blocks(wide[0])]
    for (_, before), (size, after) in pairwise(zip(sizes, wide, strict=True)):
        # (N, before, h / 2, w / 2) -> (N, after, h, w)
        up += [Resample(size), *change(before, after), *blocks(after)]
    up.append(_scaled(nn.Conv2d(last, space.shape[0], 1, bias=False), 1.0))

    down: list[nn.Module] = [_scaled(nn.Conv2d(d_space.shape[0], last, 1, bias=False), 1.0)]
    for (size, after), (_, before) in reversed(list(pairwise(zip(sizes, wide, strict=True)))):
        # (N, before, h, w) -> (N, after, h / 2, w / 2)
        down += [*blocks(before), Resample(size), *change(before, after)]
    head = nn.Conv2d(wide[0], wide[0], sizes[0], groups=wide[0], bias=False)
    # (N, C, h, w) at the smallest size -> (N, C)
    down += [*blocks(wide[0]), _scaled(head, 1.0), nn.Flatten()]

    g, d = channels_last(nn.Sequential(*up)), channels_last(nn.Sequential(*down))
    return Trunks(g, d, wide[0])


def _scaled(layer: L, gain: float) -> L:
    """Weights ~ N(0, gain^2 / fan_in)."""
    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
    return layer
