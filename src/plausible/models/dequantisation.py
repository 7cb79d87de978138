"""Grey levels as continuous numbers: a level k of L is the interval [k / L, (k + 1) / L), in which a density can be."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import logsigmoid

_EDGE = 1e-9  # how near to 0 and 1 a point may come, whose logit is then finite


class Stretch(NamedTuple):
    """From [0, 1] to where a flow is at home: forwards with log ds/dv, and back."""

    forward: Callable[[Tensor], tuple[Tensor, Tensor]]
    inverse: Callable[[Tensor], Tensor]


def _logit(v: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.logit(v, _EDGE)
    return s, -logsigmoid(s) - logsigmoid(-s)


def _affine(v: Tensor) -> tuple[Tensor, Tensor]:
    return 2 * v - 1, torch.full_like(v, math.log(2))


STRETCHES = {
    "logit": Stretch(_logit, torch.sigmoid),
    "affine": Stretch(_affine, lambda s: (s + 1) / 2),
}
"""logit reaches every real number, so that all that is drawn lies in [0, 1]; affine does not."""


def dequantised(codes: Tensor, levels: int, u: Tensor) -> Tensor:
    """v = (k + u) / L: codes k (N, *shape), u in [0, 1) of the same shape -> (N, *shape), float64.

    P(k) is the integral of p(v) over the interval of k, which is L^-D E p((k + u) / L) for uniform u: the mean of some
    draws of u, and its log a bound of log P(k) from below in expectation.
    Sources: Uria et al. 2013, https://arxiv.org/abs/1306.0186; Theis et al. 2016, https://arxiv.org/abs/1511.01844 (the
    bound); Hoogeboom et al. 2020, https://arxiv.org/abs/2001.11235 (of several draws).
    """
    return (codes.double() + u.double()) / levels


def centred(x: Tensor, levels: int) -> Tensor:
    """v of x in data units, in the middle of its level where it is on one: (N, *shape) in [0, 1] -> the same, float64."""
    return (x.double() * (levels - 1) + 0.5) / levels


def off_the_grid(v: Tensor, levels: int) -> Tensor:
    """x in data units whose nearest level is the interval of v: the inverse of ``centred``."""
    return (v * levels - 0.5) / (levels - 1)


def uniform(like: Tensor, generator: Generator | None) -> Tensor:
    """u in [0, 1) for each coordinate, by a generator where they are."""
    return torch.rand(like.shape, generator=generator, device=like.device, dtype=torch.float64)
