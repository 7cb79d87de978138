"""Monotone rational quadratic splines: curves between knots, with an inverse and a derivative in closed form."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad, softmax, softplus

_LEAST = 1e-3  # width and height of a bin, as a share of all, and slope at a knot
_UNIT = math.log(math.expm1(1 - _LEAST))  # whose softplus makes a slope of 1


class Knots(NamedTuple):
    """Where a curve goes through: (..., K + 1) each, increasing; outside of them it is the identity."""

    x: Tensor
    y: Tensor
    slope: Tensor


class _Bin(NamedTuple):
    """The bin that a point lies in: its lower left corner, its sizes, and the slopes at both ends."""

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    first: Tensor
    last: Tensor


def knots(params: Tensor, bound: float) -> Knots:
    """Of any numbers (..., 3 K - 1): K widths, K heights and K - 1 slopes; all zeros are the identity.

    The knots run from -bound to bound in both directions, and the slope at both ends is 1, so that the curve goes on
    smoothly as the identity.
    """
    bins = (params.shape[-1] + 1) // 3
    widths, heights, slopes = params.split([bins, bins, bins - 1], -1)
    inner = _LEAST + softplus(slopes + _UNIT)  # (..., K - 1)
    return Knots(_edges(widths, bound), _edges(heights, bound), pad(inner, (1, 1), value=1.0))


def _edges(sizes: Tensor, bound: float) -> Tensor:
    """Any numbers (..., K) -> (..., K + 1) from -bound to bound, each at least a little more than the one before."""
    bins = sizes.shape[-1]
    shares = _LEAST + (1 - _LEAST * bins) * softmax(sizes, -1)
    inner = shares[..., :-1].cumsum(-1)  # the ends are exact
    return bound * (2 * pad(pad(inner, (1, 0)), (0, 1), value=1.0) - 1)


def spline(x: Tensor, curve: Knots) -> tuple[Tensor, Tensor]:
    """y and log dy/dx of x (...), of curves with knots (..., K + 1).

    Source: Durkan et al. 2019, https://arxiv.org/abs/1906.04032, equations 4 and 5.
    """
    inside, at = _bin(x, curve, curve.x)
    t = ((x - at.x) / at.width).clamp(0, 1)
    s, rest = at.height / at.width, t * (1 - t)
    below = s + (at.first + at.last - 2 * s) * rest
    y = at.y + at.height * (s * t.square() + at.first * rest) / below
    rise = at.last * t.square() + 2 * s * rest + at.first * (1 - t).square()
    log_slope = 2 * s.log() + rise.log() - 2 * below.log()
    return torch.where(inside, y, x), torch.where(inside, log_slope, torch.zeros_like(x))


def spline_inverse(y: Tensor, curve: Knots) -> Tensor:
    """The x of y (...): the root of a quadratic equation, in the form that loses no digits."""
    inside, at = _bin(y, curve, curve.y)
    s, above = at.height / at.width, (y - at.y).clamp(min=0)
    bend = at.first + at.last - 2 * s
    a = at.height * (s - at.first) + above * bend
    b = at.height * at.first - above * bend
    c = -s * above
    root = (b.square() - 4 * a * c).clamp(min=1e-12).sqrt()  # of a point outside anything
    t = 2 * c / (-b - root)
    return torch.where(inside, at.x + t.clamp(0, 1) * at.width, y)


def _bin(value: Tensor, curve: Knots, along: Tensor) -> tuple[Tensor, _Bin]:
    """Whether values (...) lie between the ends of ``along`` (..., K + 1), and their bins; of any, where they do not."""
    inside = (value > along[..., 0]) & (value < along[..., -1])
    at = (value[..., None] >= along[..., 1:-1]).sum(-1, keepdim=True)  # (..., 1)
    ends = [
        edge.expand(*value.shape, edge.shape[-1]).gather(-1, at + after)[..., 0]
        for edge in curve
        for after in (0, 1)
    ]
    x, right, y, top, first, last = ends
    return inside, _Bin(x, y, right - x, top - y, first, last)
