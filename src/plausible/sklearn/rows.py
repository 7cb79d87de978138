"""How the rows of X become points of a space, and points rows again."""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from plausible.core.space import Space


class Rows(Protocol):
    """A way to read X (n, D) as points of a space."""

    def space(self, classes: int = 0) -> Space:
        """Where the points lie."""
        ...

    def values(self, x: np.ndarray) -> Tensor:
        """X as a part stores it: (n, D) -> (n, *shape)."""
        ...

    def points(self, x: np.ndarray) -> Tensor:
        """X in the units that a model is asked in, float64: (n, D) -> (n, *shape)."""
        ...

    def rows(self, points: Tensor) -> np.ndarray:
        """Points in those units as rows of X again, float64: (n, *shape) -> (n, D)."""
        ...


@dataclass(frozen=True)
class Vectors:
    """Each row is a vector of ``dims`` real numbers."""

    dims: int

    def space(self, classes: int = 0) -> Space:
        """R^D."""
        return Space((self.dims,), None, classes)

    def values(self, x: np.ndarray) -> Tensor:
        """The numbers themselves."""
        return torch.from_numpy(np.ascontiguousarray(x, np.float32))

    def points(self, x: np.ndarray) -> Tensor:
        """The numbers themselves."""
        return torch.from_numpy(np.ascontiguousarray(x, np.float64))

    def rows(self, points: Tensor) -> np.ndarray:
        """The numbers themselves."""
        return points.double().numpy()


@dataclass(frozen=True)
class Images:
    """Each row holds the grey values, 0 to 255, of an image of this shape, (C, H, W)."""

    shape: tuple[int, int, int]

    @classmethod
    def of(cls, shape: tuple[int, int, int], x: np.ndarray) -> Self:
        """The images in X (n, D); ValueError where D is not their size."""
        if int(np.prod(shape)) != x.shape[1]:
            raise ValueError(f"X has {x.shape[1]} features, and images of shape {shape} have not")
        return cls(shape)

    def space(self, classes: int = 0) -> Space:
        """Images on 256 levels."""
        return Space(self.shape, 256, classes)

    def values(self, x: np.ndarray) -> Tensor:
        """The nearest whole grey values."""
        codes = np.ascontiguousarray(x.clip(0, 255).round().astype(np.uint8))
        return torch.from_numpy(codes).view(-1, *self.shape)  # (n, D) -> (n, C, H, W)

    def points(self, x: np.ndarray) -> Tensor:
        """The same in [0, 1]."""
        return self.values(x).double() / 255

    def rows(self, points: Tensor) -> np.ndarray:
        """Grey values, 0 to 255."""
        return (points.double() * 255).round().flatten(1).numpy()  # (n, C, H, W) -> (n, D)


@dataclass(frozen=True)
class Steps:
    """Each feature is cut into ``levels`` steps of equal width, which begin at ``low`` (D,) and span ``width`` (D,).

    The first and the last step have no end: what lies outside counts as in them.
    """

    levels: int
    low: np.ndarray
    width: np.ndarray

    @classmethod
    def of(cls, levels: int, x: np.ndarray) -> Self:
        """Steps between the smallest and the largest value of each feature of X (n, D)."""
        return cls(levels, x.min(0), np.ptp(x, 0))  # (n, D) -> (D,)

    def space(self, classes: int = 0) -> Space:
        """Vectors on levels."""
        return Space((len(self.low),), self.levels, classes)

    def values(self, x: np.ndarray) -> Tensor:
        """In which step each feature lies."""
        width = np.where(self.width > 0, self.width, 1)
        steps = np.floor((x - self.low) / width * self.levels).clip(0, self.levels - 1)
        return torch.from_numpy(steps.astype(np.uint8))

    def points(self, x: np.ndarray) -> Tensor:
        """The same in [0, 1]."""
        return self.values(x).double() / (self.levels - 1)

    def rows(self, points: Tensor) -> np.ndarray:
        """The first step as the smallest value of X, the last as the largest, the others evenly between them."""
        return points.double().numpy() * self.width + self.low
