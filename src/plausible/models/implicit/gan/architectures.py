"""The two networks of the game, made for a space: G: (z, y) -> x and D: (x, y) -> logit."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from plausible.core.registry import Refused, Registry
from plausible.core.space import Space
from plausible.nn.networks import (
    Analysis,
    Synthesis,
    activation,
    initialise,
    perceptron,
)


@dataclass(frozen=True)
class Pair:
    """Mirror images: ``synthesis`` (N, inputs) -> (N, *shape), ``analysis`` back to features (N, F)."""

    synthesis: nn.Module
    analysis: nn.Module
    features: int


architectures: Registry[Callable[[Space, int, int | None], Pair]] = Registry("architecture")
"""f(space, inputs, width) -> Pair; width None is the architecture's own choice for the space."""


@architectures
def mlp(space: Space, inputs: int, width: int | None) -> Pair:
    """Two hidden layers each way, ``width`` units wide (256): for vectors and the smallest images."""
    wide = width or 256
    synthesis = nn.Sequential(
        perceptron(inputs, wide, wide, space.dims), nn.Unflatten(1, space.shape)
    )
    analysis = nn.Sequential(nn.Flatten(), perceptron(space.dims, wide, wide), activation())
    return Pair(synthesis, analysis, wide)


@architectures
def conv(space: Space, inputs: int, width: int | None) -> Pair:
    """Strided convolutions from full size to about 4x4, ``width`` channels at the first.

    For images of any channel count with sides of 8 to 128.
    """
    if not space.is_image or not 8 <= min(space.shape[1:]) <= max(space.shape[1:]) <= 128:
        raise Refused(
            f"the architecture conv is for images with sides of 8 to 128, not for {space.shape}: "
            f"choose --architecture mlp, or another --size"
        )
    analysis = Analysis(space.shape, width)
    return Pair(Synthesis(inputs, space.shape, width), analysis, analysis.features)


def default(space: Space) -> str:
    """The architecture for a space: conv for images of at least 8 pixels a side, otherwise mlp."""
    return "conv" if space.is_image and min(space.shape[1:]) >= 8 else "mlp"


class Generator(nn.Module):
    """G(z, y): the label's embedding stands beside z.  z (N, d), y (N,) -> (N, *shape)."""

    def __init__(self, pair: Pair, classes: int, embedding: int):
        super().__init__()
        self.embed = nn.Embedding(classes, embedding) if classes else None
        self.network = initialise(pair.synthesis)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """G(z, y) in standard units: (N, d), (N,) -> (N, *shape)."""
        if self.embed is not None:
            z = torch.cat([z, self.embed(y)], 1)  # (N, d) -> (N, d + embedding)
        return self.network(z)


class Discriminator(nn.Module):
    """D(x, y) = w . h(x) + b + v_y . h(x): one logit an example, (N, *shape), (N,) -> (N,).

    The label enters by projection: Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637.
    """

    def __init__(self, pair: Pair, classes: int):
        super().__init__()
        self.network = initialise(pair.analysis)
        self.head = initialise(nn.Linear(pair.features, 1), gain=math.sqrt(0.5))
        self.project = nn.Embedding(classes, pair.features) if classes else None
        if self.project is not None:
            nn.init.normal_(self.project.weight, std=pair.features**-0.5)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """D(x, y) of x in standard units: (N, *shape), (N,) -> (N,)."""
        h = self.network(x)  # (N, *shape) -> (N, F)
        logit = self.head(h).squeeze(1)  # (N, 1) -> (N,)
        if self.project is not None:
            logit = logit + (self.project(y) * h).sum(1)  # (N, F) -> (N,)
        return logit.float()


def pair(space: Space, architecture: str | None, inputs: int, width: int | None) -> Pair:
    """The two networks for a space, by name or by the space's default."""
    return architectures[architecture or default(space)](space, inputs, width)
