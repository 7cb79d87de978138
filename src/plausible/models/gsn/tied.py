"""Networks whose way down uses the weights of the way up, turned round."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d


class TiedMap(nn.Module, ABC):
    """A linear map up and its transpose down, each with a bias of its own."""

    weight: nn.Parameter
    above: nn.Parameter
    below: nn.Parameter

    @abstractmethod
    def up(self, x: Tensor) -> Tensor:
        """W x + b."""

    @abstractmethod
    def down(self, h: Tensor) -> Tensor:
        """W^T h + c."""


class TiedLinear(TiedMap):
    """(N, *shape) to (N, O) and back."""

    def __init__(self, shape: tuple[int, ...], outputs: int):
        super().__init__()
        self.shape, inputs = shape, math.prod(shape)
        bound = math.sqrt(6 / (inputs + outputs))  # Glorot and Bengio 2010
        self.weight = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))
        self.above = nn.Parameter(torch.zeros(outputs))
        self.below = nn.Parameter(torch.zeros(inputs))

    def up(self, x: Tensor) -> Tensor:
        """(N, *shape) -> (N, O)."""
        return x.flatten(1) @ self.weight + self.above

    def down(self, h: Tensor) -> Tensor:
        """(N, O) -> (N, *shape)."""
        x: Tensor = h @ self.weight.T + self.below  # (N, D)
        return x.view(-1, *self.shape)


class TiedConv(TiedMap):
    """(N, I, H, W) to (N, O, ceil(H / 2), ceil(W / 2)) by 5x5 kernels at every second pixel, and back."""

    def __init__(self, shape: tuple[int, int, int], outputs: int):
        super().__init__()
        inputs, *size = shape
        # what a transposed stride leaves open
        self.odd = (size[0] + 1) % 2, (size[1] + 1) % 2
        bound = math.sqrt(6 / (25 / 4 * (inputs + outputs)))
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 5, 5).uniform_(-bound, bound))
        self.above = nn.Parameter(torch.zeros(outputs))
        self.below = nn.Parameter(torch.zeros(inputs))

    def up(self, x: Tensor) -> Tensor:
        """(N, I, H, W) -> (N, O, h, w)."""
        return conv2d(x, self.weight, self.above, stride=2, padding=2)

    def down(self, h: Tensor) -> Tensor:
        """(N, O, h, w) -> (N, I, H, W)."""
        return conv_transpose2d(
            h, self.weight, self.below, stride=2, padding=2, output_padding=self.odd
        )


class Tied(nn.Module):
    """x up through tanh layers, and down again through the same weights.

    Every layer above the first has normal noise before and after its tanh on the way up, so that one x
    has many h.  The label is added to the highest layer.

    ways     the maps, from x upwards.
    noise    standard deviation.
    classes  labels of a conditional model, or 0.
    Source: Bengio et al. 2014, https://arxiv.org/abs/1306.1091.
    """

    ways: Sequence[TiedMap]

    def __init__(self, ways: Sequence[TiedMap], noise: float, classes: int = 0):
        super().__init__()
        self.ways = nn.ModuleList(ways)  # type: ignore[assignment]
        self.noise = noise
        top = ways[-1].above
        self.label = nn.Embedding(classes, len(top)) if classes else None

    def lowest_layer(
        self, x: Tensor, y: Tensor | None, generator: Generator | None = None
    ) -> Tensor:
        """The layer next to x, on the way down: (N, *shape) -> (N, ...).

        On the way down a layer adds to what it had from below on the way up what comes from above.
        """
        from_below, h = [], x
        for layer, way in enumerate(self.ways):
            preactivation = way.up(h)
            if self.label is not None and layer == len(self.ways) - 1:
                bias: Tensor = self.label(y)  # (N, channels)
                preactivation = preactivation + bias[(..., *[None] * (preactivation.dim() - 2))]
            from_below.append(preactivation)
            h = self._activate(preactivation, layer, generator)
        for layer in range(len(self.ways) - 2, -1, -1):
            preactivation = from_below[layer] + self.ways[layer + 1].down(h)
            h = self._activate(preactivation, layer, generator)
        return h

    def _activate(self, preactivation: Tensor, layer: int, generator: Generator | None) -> Tensor:
        """tanh with noise before and after: (N, ...) -> (N, ...)."""
        h = self._add_noise(preactivation, layer, generator).tanh()
        return self._add_noise(h, layer, generator)

    def _add_noise(self, h: Tensor, layer: int, generator: Generator | None) -> Tensor:
        if not self.noise or not layer:
            return h
        return h + self.noise * torch.randn(h.shape, generator=generator, device=h.device)
