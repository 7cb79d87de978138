"""Whoever else says whether samples are as real data are: what is on the package index, and what papers report.

Each asks whether G differs from H, or is worse than the real data R are; it says yes at a level of 5%.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import torch
from torch import Generator, Tensor

from plausible.core.registry import Registry
from plausible.evaluation.evaluation_set import Embedded
from plausible.evaluation.metrics.distances import frechet
from plausible.evaluation.metrics.neighbours import PRDC, prdc

LEVEL = 0.05
_DRAWS = 50  # resamples
_Z = 1.645  # the deviations of a normal law that LEVEL of it lies beyond, on one side


@dataclass(frozen=True, eq=False)
class Sight:
    """What a judge is shown: samples G, held-out data H and other real data R, as many of each, and a seed."""

    samples: Embedded
    heldout: Embedded
    real: Embedded
    seed: int


Judge = Callable[[Sight], bool]
"""Whether it says that G differs."""

judges: Registry[Judge] = Registry("judge")
"""Every judge, by name; the one that takes a minute is the last."""


@judges
def frechet_bootstrap(sight: Sight) -> bool:
    """Frechet distance of G to H above that of R to H in 95% of the bootstrap."""
    generator = torch.Generator().manual_seed(sight.seed)
    sides = [side.features for side in (sight.samples, sight.real, sight.heldout)]
    farther = 0
    for _ in range(_DRAWS):
        g, r, h = (
            side[torch.randint(len(side), (len(side),), generator=generator)] for side in sides
        )
        farther += frechet(g, h) > frechet(r, h)
    return farther / _DRAWS >= 1 - LEVEL


@judges
def kernel_bootstrap(sight: Sight) -> bool:
    """Kernel distance (KID) of G to H above that of R to H in 95% of the bootstrap, each feature scaled by its deviation in R.

    A resampled set is a weight of each of its points, so the kernels are computed once.
    """
    generator = torch.Generator().manual_seed(sight.seed)
    scale = sight.real.features.std(0).clamp(min=1e-6)
    g, r, h = ((s.features / scale).double() for s in (sight.samples, sight.real, sight.heldout))
    kernels = [(_cubic(side, side), _cubic(side, h)) for side in (g, r)]
    farther = 0
    for _ in range(_DRAWS):
        of_h = _weights(len(h), generator)
        # without E k(h, h'), which both have
        made, real = (
            w @ within @ w - 2 * w @ across @ of_h
            for (within, across), w in zip(
                kernels, (_weights(len(g), generator), _weights(len(r), generator)), strict=True
            )
        )
        farther += bool(made > real)
    return farther / _DRAWS >= 1 - LEVEL


@judges
def precision(sight: Sight) -> bool:
    """Improved precision of G below that of R."""
    return _lower("precision", sight)


@judges
def recall(sight: Sight) -> bool:
    """Improved recall of G below that of R."""
    return _lower("recall", sight)


@judges
def density(sight: Sight) -> bool:
    """Density of G below that of R."""
    return _lower("density", sight)


@judges
def coverage(sight: Sight) -> bool:
    """Coverage of G below that of R."""
    return _lower("coverage", sight)


@judges
def pqm(sight: Sight) -> bool:
    """PQMass on values, one tessellation of 100 points of reference (Lemos et al. 2024, https://arxiv.org/abs/2402.04355)."""
    np.random.seed(sight.seed)  # noqa: NPY002  # the only one that it draws from
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = import_module("pqm").pqm_pvalue(
            *(_flat(side) for side in (sight.samples, sight.heldout))
        )
    return bool(said <= LEVEL)


@judges
def msw(sight: Sight) -> bool:
    """Multi-scale sliced Wasserstein test of images (package msw, its defaults)."""
    sides = [side.part.as_batch().x for side in (sight.samples, sight.heldout)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = import_module("msw").test(*sides, seed=sight.seed % 2**31)
    return bool(said.p <= LEVEL)


def here(name: str) -> bool:
    """Whether what a judge needs is installed."""
    return name not in ("pqm", "msw") or find_spec(name) is not None


def defined(name: str, sight: Sight) -> bool:
    """Whether a judge can be asked about such data."""
    shape = sight.heldout.part.space.shape
    return name != "msw" or (len(shape) == 3 and shape[0] in (1, 3) and shape[1] == shape[2])


def _flat(side: Embedded) -> np.ndarray:
    values: np.ndarray = side.part.as_batch().x.flatten(1).numpy()  # (n, *shape) -> (n, D)
    return values


def _cubic(a: Tensor, b: Tensor) -> Tensor:
    """(a.b / d + 1)^3: (n, d), (m, d) -> (n, m)."""
    return (a @ b.T / a.shape[1] + 1).pow(3)


def _weights(n: int, generator: Generator) -> Tensor:
    """How often each of n points is drawn, of n draws, as a share: (n,)."""
    drawn = torch.randint(n, (n,), generator=generator)
    return torch.bincount(drawn, minlength=n).double() / n


def _lower(name: str, sight: Sight) -> bool:
    """Whether a share of G lies below that of R by more than 1.645 standard errors of the difference."""
    whole, halves = _differences(sight)
    place = PRDC._fields.index(name)
    return bool(whole[place] < -_Z * halves[:, place].std().clamp(min=1e-9))


@lru_cache(maxsize=1)
def _differences(sight: Sight) -> tuple[Tensor, Tensor]:
    """Precision, recall, density, coverage of G less those of R, (4,), and the same of random halves, (draws, 4).

    A resampled set has every point several times, which neighbours mistake for nearness; halves without
    replacement have the variance of the whole (Shao and Wu 1989, doi:10.1214/aos/1176347263).
    """
    generator = torch.Generator().manual_seed(sight.seed)
    sides = [side.features for side in (sight.samples, sight.real, sight.heldout)]

    def difference(g: Tensor, r: Tensor, h: Tensor) -> Tensor:
        return torch.tensor(prdc(h, g)) - torch.tensor(prdc(h, r))

    halves = [difference(*(_half(side, generator) for side in sides)) for _ in range(_DRAWS)]
    return difference(*sides), torch.stack(halves)


def _half(side: Tensor, generator: Generator) -> Tensor:
    return side[torch.randperm(len(side), generator=generator)[: len(side) // 2]]
