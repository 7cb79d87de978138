"""Networks of critics, four layers at most: (N, c, h, w) -> (N, 1)."""

import math

import torch
from torch import Tensor, nn

from plausible.nn.networks import SpaceToDepth, activation, channels_last, initialise

_WIDTH = 16
_HIDDEN = 64
_DECAY = 0.9  # of the averaged weights, an update


@torch.no_grad()
def move_average(averaged: nn.Module, net: nn.Module, update: int) -> None:
    """w' <- w' + max(0.1, 1 / update) (w - w'): averages of about the last ten updates, of fewer at the start."""
    step = max(1 - _DECAY, 1 / update)
    torch._foreach_lerp_(list(averaged.parameters()), list(net.parameters()), step)


def convnet(shape: tuple[int, ...], filters: int = _WIDTH) -> nn.Module:
    """Convolutions 3x3, 4x4 and 4x4 (the latter halve), and a linear map: shape and detail are both seen.

    From 16 pixels a side on, patches of p x p first become channels, p = 2 up to 64 pixels a side, 4 up to 128 and
    so on: nothing is averaged, so that a pattern from pixel to pixel stays visible.
    """
    channels, height, width = shape
    side = max(height, width)
    patch = 2 ** max(1, math.ceil(math.log2(side / 32)))
    # (N, C, H, W) -> (N, p^2 C, ceil(H / p), ceil(W / p)) -> (N, 16, same)
    layers: list[nn.Module] = [SpaceToDepth(patch)]
    height, width, wide = -(-height // patch), -(-width // patch), filters
    layers += [nn.Conv2d(channels * patch**2, wide, 3, padding=1), activation()]
    for _ in range(2):
        if min(height, width) < 4:
            break
        # (N, c, h, w) -> (N, 2 c, h // 2, w // 2)
        layers += [nn.Conv2d(wide, 2 * wide, 4, stride=2, padding=1), activation()]
        height, width, wide = height // 2, width // 2, 2 * wide
    return _headed(layers, wide * height * width)


def bag_of_patches(shape: tuple[int, ...]) -> nn.Module:
    """What patches of 10 x 10 look like, on average over the image, wherever they are.

    Source: Brendel and Bethge 2019, https://arxiv.org/abs/1904.00760 (bags of local features).
    """
    layers: list[nn.Module] = [
        SpaceToDepth(2),  # (N, C, H, W) -> (N, 4 C, h, w)
        nn.Conv2d(4 * shape[0], _WIDTH, 3, padding=1),  # (N, 16, h, w)
        activation(),
        nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1),  # 10 x 10 pixels are seen
        activation(),
        _MeanAndDeviation(),  # (N, 32)
    ]
    return _headed(layers, 2 * _WIDTH)


def perceptron_of_pixels(shape: tuple[int, ...]) -> nn.Module:
    """One hidden layer of all numbers."""
    layers = [nn.Flatten(), nn.Linear(math.prod(shape), _HIDDEN), activation()]
    return _headed(layers, _HIDDEN)


class _MeanAndDeviation(nn.Module):
    """(N, c, h, w) -> (N, 2 c)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean((2, 3)), (x.var((2, 3), correction=0) + 1e-6).sqrt()], 1)


def _headed(layers: list[nn.Module], features: int) -> nn.Module:
    """With a linear map behind dropout that starts without an opinion."""
    head = nn.Linear(features, 1)
    made = initialise(nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.5), head))
    with torch.no_grad():
        head.weight.mul_(0.1)
    assert isinstance(made, nn.Sequential)
    return channels_last(made)
