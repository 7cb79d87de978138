"""Simple pairs of laws that a judge of samples should tell apart, after the sanity checks of Raisa et al. 2025.

Source: Raisa, van Breugel and van der Schaar, ICML 2025, https://arxiv.org/abs/2505.22450; the sizes are ours, such that the
mean of a known difference is 0.2 to 1 standard deviations.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import normalize

from plausible.core.space import Space
from plausible.data.part import Part

Law = Callable[[int, Generator], Tensor]
"""(n, generator) -> n draws (n, D)."""
DIMS, MODES, APART, FAR = 8, 10, 6.0, 100.0


@dataclass(frozen=True)
class Check:
    """Two laws: that of real data and that of samples."""

    real: Law
    samples: Law


def part(x: Tensor) -> Part:
    """Draws (n, D) as points."""
    return Part(x, None, Space((x.shape[1],)))


def normal(n: int, generator: Generator, dims: int = DIMS) -> Tensor:
    """N(0, I), (n, dims)."""
    return torch.randn(n, dims, generator=generator)


def modes(
    n: int, generator: Generator, first: int = 0, last: int = MODES, width: float = 1.0
) -> Tensor:
    """Equal Gaussians, 6 from the middle in fixed directions: those from ``first`` to before ``last`` of 11, (n, D)."""
    fixed = torch.Generator().manual_seed(11)
    centres = APART * normalize(torch.randn(MODES + 1, DIMS, generator=fixed), dim=1)
    y = torch.randint(first, last, (n,), generator=generator)
    return centres[y] + width * normal(n, generator)


def invented(n: int, generator: Generator) -> Tensor:
    """A twentieth of the samples from an eleventh mode."""
    few = torch.rand(n, generator=generator) < 1 / 20
    new = modes(n, generator, MODES, MODES + 1)
    return torch.where(few[:, None], new, modes(n, generator))


def sphere(n: int, generator: Generator) -> Tensor:
    """The surface of the unit sphere."""
    return normalize(normal(n, generator), dim=1)


def ball(n: int, generator: Generator) -> Tensor:
    """The inside of the unit sphere."""
    radius = torch.rand(n, 1, generator=generator) ** (1 / DIMS)
    return sphere(n, generator) * radius


def torus(n: int, generator: Generator) -> Tensor:
    """Circles around a circle in space, (n, 3), with the variances of the shell below."""
    a, b = 2 * math.pi * torch.rand(2, n, generator=generator)
    ring = 1 + 0.5 * b.cos()
    return torch.stack([ring * a.cos(), ring * a.sin(), 0.5 * b.sin()], 1)


def shell(n: int, generator: Generator) -> Tensor:
    """A stretched sphere in space, (n, 3)."""
    deviations = torch.tensor([0.75, 0.75, 0.354])
    return normalize(normal(n, generator, 3), dim=1) * deviations * math.sqrt(3)


def moved(x: Tensor, by: float, dims: int | None = None) -> Tensor:
    """The first ``dims`` coordinates plus a number."""
    x = x.clone()
    x[:, :dims] += by
    return x


def with_outlier(x: Tensor) -> Tensor:
    """One draw far from all others."""
    x = x.clone()
    x[0] = FAR
    return x


def one_scale(x: Tensor) -> Tensor:
    """The last coordinate in other units."""
    x = x.clone()
    x[:, -1] *= 1000
    return x


CHECKS: dict[str, Check] = {
    "mean moved by 0.3 in each of 8 dimensions": Check(normal, lambda n, g: moved(normal(n, g), 0.3)),
    "0.8 times as wide": Check(normal, lambda n, g: 0.8 * normal(n, g)),
    "one of ten modes dropped": Check(modes, lambda n, g: modes(n, g, 1)),
    "a mode invented for 5%": Check(modes, invented),
    "each mode half as wide": Check(modes, lambda n, g: modes(n, g, width=0.5)),
    "mean moved, with one real outlier": Check(
        lambda n, g: with_outlier(normal(n, g)), lambda n, g: moved(normal(n, g), 0.3)
    ),
    "the inside of a sphere for its surface": Check(sphere, ball),
    "a stretched sphere for a torus": Check(torus, shell),
    "one of 32 dimensions apart": Check(
        lambda n, g: normal(n, g, 32), lambda n, g: moved(normal(n, g, 32), 1.0, 1)
    ),
    "one dimension in other units, another moved": Check(
        lambda n, g: one_scale(normal(n, g)), lambda n, g: one_scale(moved(normal(n, g), 0.6, 1))
    ),
    "fractions for whole numbers": Check(
        lambda n, g: (3 * normal(n, g)).round(), lambda n, g: 3 * normal(n, g)
    ),
}  # fmt: skip
