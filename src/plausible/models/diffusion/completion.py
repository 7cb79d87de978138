"""The rest of an image of which some pixels are known, by a model that knows nothing of masks."""

from itertools import pairwise

import torch
from torch import Generator, Tensor

from plausible.models.diffusion.path import Path
from plausible.models.diffusion.solvers import Velocity


def inpaint(
    velocity: Velocity,
    path: Path,
    x: Tensor,
    known: Tensor,
    times: Tensor,
    repeats: int,
    generator: Generator | None = None,
) -> Tensor:
    """The way from noise to data, on which what is known is put in at every time with the noise of that time.

    Each step is taken ``repeats`` times, with noise added in between, so that the rest comes to fit what is known.
    It is no exact draw of p(x | known), only near to one for many steps and repeats.

    x (N, *shape) in standard units, known (N, *shape) bool or what is broadcast to it; times (S + 1,) from noise to 0.
    Source: Lugmayr et al. 2022 (RePaint), https://arxiv.org/abs/2201.09865.
    """

    def noise() -> Tensor:
        return torch.randn(x.shape, generator=generator).to(x.device)

    y = path.end * noise()
    for t, following in pairwise(times):
        for repeat in range(repeats):
            if repeat:
                y = noised(path, y, following, t, noise())
            y = torch.where(known, path.mix(x, noise(), t), y)
            y = y + (following - t) * velocity(y, t)
    return torch.where(known, x, y)


def noised(path: Path, y: Tensor, earlier: Tensor, t: Tensor, e: Tensor) -> Tensor:
    """y of one time with so much more noise that it has the law of a later one, t > earlier: e ~ N(0, I)."""
    one, zero = torch.ones_like(t), torch.zeros_like(t)
    (a, b), (a_before, b_before) = (
        (path.mix(one, zero, time), path.mix(zero, one, time)) for time in (t, earlier)
    )
    kept = a / a_before
    return kept * y + (b.square() - (kept * b_before).square()).clamp(min=0).sqrt() * e
