"""What a layer does to one coordinate, by numbers that a network has said: an increasing function of it."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from plausible.core.registry import Registry
from plausible.models.flow.spline import knots, spline, spline_inverse

BOUND = 5.0  # standard deviations, beyond which a spline is the identity
_MOST = 4.0  # log of the largest scale of one affine layer


class Transform(Protocol):
    """An increasing function of each coordinate.

    size  how many numbers say which; all zeros are the identity.
    """

    size: int

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """x (...), params (..., size) -> z (...) and log dz/dx (...)."""
        ...

    def inverse(self, z: Tensor, params: Tensor) -> Tensor:
        """The x of z (...)."""
        ...


transforms: Registry[Callable[[int], Transform]] = Registry("transform")
"""f(bins) -> Transform."""


@transforms
class Spline:
    """A monotone rational quadratic spline of so many bins, and the identity far out."""

    def __init__(self, bins: int):
        self.size = 3 * bins - 1

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """x (...), params (..., size) -> z (...) and log dz/dx (...)."""
        return spline(x, knots(params, BOUND))

    def inverse(self, z: Tensor, params: Tensor) -> Tensor:
        """The x of z (...)."""
        return spline_inverse(z, knots(params, BOUND))


@transforms
class Affine:
    """z = (x - m) exp(-s), s held between -4 and 4."""

    size = 2

    def __init__(self, bins: int):
        pass

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """x (...), params (..., 2) -> z (...) and log dz/dx (...)."""
        shift, log_scale = _affine(params)
        return (x - shift) * (-log_scale).exp(), -log_scale

    def inverse(self, z: Tensor, params: Tensor) -> Tensor:
        """The x of z (...)."""
        shift, log_scale = _affine(params)
        return z * log_scale.exp() + shift


def _affine(params: Tensor) -> tuple[Tensor, Tensor]:
    return params[..., 0], _MOST * torch.tanh(params[..., 1] / _MOST)


def by_coordinate(params: Tensor, size: int) -> Tensor:
    """What a network said, (N, size * d, ...), as a transform takes it: (N, d, ..., size)."""
    named: Tensor = params.unflatten(1, (size, -1))  # (N, size, d, ...)
    return named.movedim(1, -1)
