"""Perceptrons and convolutional pyramids for a space of any size, without batch statistics."""

import math
from itertools import pairwise

from torch import Tensor, nn

_SLOPE = 0.2


def activation() -> nn.Module:
    """max(a, 0.2 a)."""
    return nn.LeakyReLU(_SLOPE)


def initialise(module: nn.Module, gain: float = 1.0) -> nn.Module:
    """Weights ~ N(0, gain^2 * 2 / ((1 + 0.2^2) fan_in)), biases 0: keeps the size of activations.

    fan_in counts the inputs that reach one output, so a transposed convolution of kernel k and
    stride s has channels * (k / s)^2 of them.
    Source: He et al. 2015, https://arxiv.org/abs/1502.01852, for a leaky rectifier.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            fan_in = layer.weight[0].numel()
        elif isinstance(layer, nn.ConvTranspose2d):
            fan_in = layer.weight.shape[0] * layer.weight[0, 0].numel() // math.prod(layer.stride)
        else:
            continue
        nn.init.normal_(layer.weight, std=gain * math.sqrt(2 / ((1 + _SLOPE**2) * fan_in)))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return module


def perceptron(*sizes: int) -> nn.Sequential:
    """Linear maps between the given sizes with activations between them: (N, first) -> (N, last)."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


def resolutions(height: int, width: int, smallest: int = 4) -> list[tuple[int, int]]:
    """The sizes of an image pyramid, full size first, halved while both exceed ``smallest``.

    28 -> 14 -> 7 -> 3: an odd size is rounded down, as a strided convolution does.
    """
    sizes = [(height, width)]
    while min(sizes[-1]) > smallest:
        h, w = sizes[-1]
        sizes.append((h // 2, w // 2))
    return sizes


def channels(shape: tuple[int, ...], width: int | None = None, largest: int = 8) -> list[int]:
    """Channels at each resolution: ``width``, doubled at each halving, at most 8 times that.

    Up to 16 pixels a side ``width`` is reached at full size, by a convolution of its own.  Beyond, the
    first strided convolution works on the image itself: at full size nearly all time and memory
    would go into the layer that knows least.  By default width is 16 for sides of 17 to 32, where
    many updates of a small network are worth more than few of a large one, and 32 otherwise.
    """
    side, stages = max(shape[1:]), len(resolutions(*shape[1:]))
    width = width or (16 if 16 < side <= 32 else 32)
    wide = [width * min(2**i, largest) for i in range(stages)]
    return wide if side <= 16 else [shape[0], *wide[:-1]]


class Analysis(nn.Module):
    """Image to features by strided convolutions: (N, C, H, W) -> (N, ``features``)."""

    def __init__(self, shape: tuple[int, ...], width: int | None = None):
        super().__init__()
        sizes, wide = resolutions(*shape[1:]), channels(shape, width)
        layers: list[nn.Module] = []
        if wide[0] != shape[0]:
            layers += [nn.Conv2d(shape[0], wide[0], 3, padding=1), activation()]
        for inputs, outputs in pairwise(wide):
            # (N, inputs, h, w) -> (N, outputs, h // 2, w // 2)
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), activation()]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.features = wide[-1] * math.prod(sizes[-1])

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) -> (N, features)."""
        return self.layers(x)


class Synthesis(nn.Module):
    """Features to image, the mirror of ``Analysis``: (N, inputs) -> (N, C, H, W)."""

    def __init__(self, inputs: int, shape: tuple[int, ...], width: int | None = None):
        super().__init__()
        sizes, wide = resolutions(*shape[1:]), channels(shape, width)
        layers: list[nn.Module] = [
            nn.Linear(inputs, wide[-1] * math.prod(sizes[-1])),
            nn.Unflatten(1, (wide[-1], *sizes[-1])),
        ]
        stages = list(pairwise(zip(sizes, wide, strict=True)))
        for (full, outputs), (half, features) in reversed(stages):
            # (N, features, h // 2, w // 2) -> (N, outputs, h, w), the lost row or column restored
            odd = (full[0] - 2 * half[0], full[1] - 2 * half[1])
            up = nn.ConvTranspose2d(features, outputs, 4, stride=2, padding=1, output_padding=odd)
            layers += [activation(), up]
        if wide[0] != shape[0]:
            layers += [activation(), nn.Conv2d(wide[0], shape[0], 3, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, h: Tensor) -> Tensor:
        """h (N, inputs) -> (N, C, H, W)."""
        return self.layers(h)
