"""Perceptrons and convolutional pyramids for a space of any size, without batch statistics."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle

from plausible.core.errors import UsageError
from plausible.core.space import Space

_SLOPE = 0.2
_SMALL = 16  # pixels a side up to which convolutions work at full size
_FIRST = 7  # pixels a side, at least, of the first image that a perceptron makes


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


def channels_last(module: nn.Sequential) -> nn.Sequential:
    """The same weights in the layout (N, H, W, C), in which convolutions of few channels are fast."""
    same: nn.Sequential = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return same


def perceptron(*sizes: int) -> nn.Sequential:
    """Linear maps between the given sizes with activations between them: (N, first) -> (N, last)."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


def need_images(space: Space, architecture: str, smallest: int = 8) -> None:
    """Refuse, on behalf of an architecture, what is no image with sides of ``smallest`` to 256."""
    if not space.is_image or not smallest <= min(space.shape[1:]) <= max(space.shape[1:]) <= 256:
        raise UsageError(
            f"the architecture {architecture} is for images with sides of {smallest} to 256, not for "
            f"{space.shape}: choose --architecture mlp, or another --size"
        )


def halvings(height: int, width: int, smallest: int = 4) -> list[tuple[int, int]]:
    """A size and its halves, each rounded down, while both sides exceed ``smallest``: 28, 14, 7, 3."""
    sizes = [(height, width)]
    while min(sizes[-1]) > smallest:
        h, w = sizes[-1]
        sizes.append((h // 2, w // 2))
    return sizes


def resolutions(height: int, width: int) -> list[tuple[int, int]]:
    """The sizes at which convolutions work, the largest first, down to about 4x4.

    The largest is the full size up to 16 pixels a side and half of it, rounded up, beyond: at full
    size nearly all time and memory would go into the layers that know least.  Each halving rounds
    down, as a strided convolution does: 28 works at 14, 7 and 3.
    """
    large = max(height, width) > _SMALL
    return halvings(-(-height // 2), -(-width // 2)) if large else halvings(height, width)


def channels(shape: tuple[int, ...], width: int | None = None, largest: int = 8) -> list[int]:
    """Channels at each resolution: ``width``, doubled at each halving, at most 8 times that.

    By default width is 16 for sides of 17 to 32, where many updates of a small network are worth more
    than few of a large one, and 32 otherwise.
    """
    width = width or (16 if _SMALL < max(shape[1:]) <= 32 else 32)
    return [width * min(2**i, largest) for i in range(len(resolutions(*shape[1:])))]


def _large(shape: tuple[int, ...]) -> bool:
    return max(shape[1:]) > _SMALL


class SpaceToDepth(nn.Module):
    """p x p pixels become p^2 C channels: (N, C, H, W) -> (N, p^2 C, ceil(H / p), ceil(W / p)).

    A 3x3 convolution behind it is, with p = 2, a 6x6 convolution of stride 2 on the image, and many times
    as fast, because processors are made for many channels.  What is missing is filled with zeros.
    """

    def __init__(self, patch: int = 2):
        super().__init__()
        self.patch = patch

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) -> (N, p^2 C, ceil(H / p), ceil(W / p))."""
        height, width = x.shape[2:]
        x = pad(x, (0, -width % self.patch, 0, -height % self.patch))  # whole patches
        return pixel_unshuffle(x, self.patch)


class DepthToSpace(nn.Module):
    """The inverse of ``SpaceToDepth``: (N, p^2 C, ceil(H / p), ceil(W / p)) -> (N, C, H, W)."""

    def __init__(self, height: int, width: int, patch: int = 2):
        super().__init__()
        self.height, self.width, self.patch = height, width, patch

    def forward(self, x: Tensor) -> Tensor:
        """x (N, p^2 C, ceil(H / p), ceil(W / p)) -> (N, C, H, W)."""
        return pixel_shuffle(x, self.patch)[:, :, : self.height, : self.width]


class ConvEncoder(nn.Module):
    """Image to features by strided convolutions: (N, C, H, W) -> (N, ``features``).

    top  units of a last hidden layer over all that the convolutions found; None: no such layer.
    """

    def __init__(self, shape: tuple[int, ...], width: int | None = None, top: int | None = None):
        super().__init__()
        sizes, wide = resolutions(*shape[1:]), channels(shape, width)
        # (N, C, H, W) -> (N, wide[0], H, W), or to half of it at once
        layers: list[nn.Module] = [SpaceToDepth()] if _large(shape) else []
        first = 4 * shape[0] if _large(shape) else shape[0]
        layers += [nn.Conv2d(first, wide[0], 3, padding=1), activation()]
        for inputs, outputs in pairwise(wide):
            # (N, inputs, h, w) -> (N, outputs, h // 2, w // 2)
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), activation()]
        layers.append(nn.Flatten())
        self.features = wide[-1] * math.prod(sizes[-1])
        if top is not None:
            layers += [nn.Linear(self.features, top), activation()]  # (N, features) -> (N, top)
            self.features = top
        self.layers = channels_last(nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) -> (N, features)."""
        features: Tensor = self.layers(x)
        return features


class ConvDecoder(nn.Module):
    """Features to image: a perceptron up to about 8x8 pixels, then transposed convolutions.

    (N, inputs) -> (N, C, H, W).

    hidden  units of the layers before the first pixels.  What an image is gets decided there, where
            a layer costs next to nothing; the convolutions only draw it.
    """

    def __init__(
        self,
        inputs: int,
        shape: tuple[int, ...],
        width: int | None = None,
        hidden: tuple[int, ...] = (256, 256),
    ):
        super().__init__()
        sizes, wide = resolutions(*shape[1:]), channels(shape, width)
        stages = sum(min(size) >= _FIRST for size in sizes) or 1
        sizes, wide = sizes[:stages], wide[:stages]
        layers: list[nn.Module] = [
            perceptron(inputs, *hidden, wide[-1] * math.prod(sizes[-1])),
            nn.Unflatten(1, (wide[-1], *sizes[-1])),
            activation(),
        ]
        pyramid = list(pairwise(zip(sizes, wide, strict=True)))
        for (full, outputs), (half, features) in reversed(pyramid):
            # (N, features, h // 2, w // 2) -> (N, outputs, h, w), the lost row or column restored
            odd = (full[0] - 2 * half[0], full[1] - 2 * half[1])
            up = nn.ConvTranspose2d(features, outputs, 4, stride=2, padding=1, output_padding=odd)
            layers += [up, activation()]
        # (N, wide[0], h, w) -> (N, C, H, W), with h, w the full size or half of it
        last = 4 * shape[0] if _large(shape) else shape[0]
        layers += [nn.Conv2d(wide[0], last, 3, padding=1)]
        layers += [DepthToSpace(*shape[1:])] if _large(shape) else []
        self.layers = channels_last(nn.Sequential(*layers))

    def forward(self, h: Tensor) -> Tensor:
        """h (N, inputs) -> (N, C, H, W)."""
        image: Tensor = self.layers(h)
        return image
