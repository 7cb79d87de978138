"""Is the z that an invertible model makes of x noise at all?  Tests of its d numbers against N(0, I).

A model that maps p(x) to N(0, I) maps what is of no such kind to something else, whatever its density is: to numbers that
are too large or too small, of another shape, or that hang together.  Sources: Bomatter et al. 2026,
https://arxiv.org/abs/2605.22496; Jiang et al. 2022, https://openreview.net/forum?id=9sW_kx0Ngmg.
"""

import math

import torch
from torch import Tensor

STATISTICS = ("length", "shape", "correlation")
_HUGE = 1e15  # beyond which a number of z is one that cannot be told
_LEAST = 1e-12


def noise_statistics(z: Tensor) -> Tensor:
    """|z|^2, Anderson-Darling's A^2 and Ljung-Box's Q of each z (N, d): (N, 3), float64 on the CPU."""
    z = torch.nan_to_num(z.detach().cpu().double(), _HUGE, _HUGE, -_HUGE).clamp(-_HUGE, _HUGE)
    return torch.stack([z.square().sum(1), anderson_darling(z), ljung_box(z)], 1)


def noise_p_values(statistics: Tensor, dims: int) -> Tensor:
    """The chance that N(0, I) in ``dims`` dimensions gives so odd a statistic: (N, 3) -> (N, 3), each uniform.

    |z|^2 is chi-squared, and odd where it is small or large; A^2 is that of its limit, and large where it is odd; Q is about
    chi-squared with as many degrees as there are lags, and says 1 where there are none.
    """
    length, shape, correlation = statistics.unbind(1)
    below = _chi_squared(length, dims)
    two_sided = 2 * torch.minimum(below, 1 - below)
    lags = ljung_box_lags(dims)
    related = 1 - _chi_squared(correlation, lags) if lags else torch.ones_like(correlation)
    return torch.stack([two_sided, 1 - _anderson_darling_limit(shape), related], 1)


def anderson_darling(z: Tensor) -> Tensor:
    """A^2 = -d - (1/d) sum_i (2i - 1) (log F(z_(i)) + log (1 - F(z_(d+1-i)))) of z (N, d), F that of N(0, 1): (N,).

    It weighs both tails.  Source: Anderson and Darling 1952, doi:10.1214/aoms/1177729437.
    """
    d, ordered = z.shape[1], z.sort(1).values
    odd = 2 * torch.arange(d, dtype=z.dtype) + 1
    both = torch.special.log_ndtr(ordered) + torch.special.log_ndtr(-ordered.flip(1))
    return -d - (both * odd).sum(1) / d


def ljung_box(z: Tensor) -> Tensor:
    """Q = d (d + 2) sum_k r_k^2 / (d - k) of z (N, d), r_k the correlation of coordinates k apart: (N,).

    With 0 and 1 for mean and variance of z, as N(0, I) has them.  Source: Ljung and Box 1978, doi:10.1093/biomet/65.2.297.
    """
    d = z.shape[1]
    power = z.square().sum(1).clamp(min=_LEAST)
    total = z.new_zeros(len(z))
    for k in range(1, ljung_box_lags(d) + 1):
        r = (z[:, k:] * z[:, :-k]).sum(1) / power
        total += d * (d + 2) * r.square() / (d - k)
    return total


def ljung_box_lags(dims: int) -> int:
    """How far apart coordinates are compared: up to the square root of their number, a row of a square image."""
    return 0 if dims < 8 else math.isqrt(dims)


def _chi_squared(value: Tensor, degrees: int) -> Tensor:
    """P(chi^2 <= value)."""
    half = torch.tensor(degrees / 2, dtype=value.dtype)
    return torch.special.gammainc(half, value / 2)


def _anderson_darling_limit(value: Tensor) -> Tensor:
    """P(A^2 <= value) for large d.  Source: Marsaglia and Marsaglia 2004, doi:10.18637/jss.v009.i02."""
    a = value.clamp(min=_LEAST)
    small = (-1.2337141 / a).exp() / a.sqrt() * _polynomial(a, _SMALL)
    large = (-_polynomial(a, _LARGE).exp()).exp()
    return torch.where(a < 2, small, large).clamp(0, 1)


def _polynomial(a: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    total = torch.zeros_like(a)
    for coefficient in reversed(coefficients):
        total = total * a + coefficient
    return total


_SMALL = (2.00012, 0.247105, -0.0649821, 0.0347962, -0.0116720, 0.00168691)
_LARGE = (1.0776, -2.30695, 0.43424, -0.082433, 0.008056, -0.0003146)
