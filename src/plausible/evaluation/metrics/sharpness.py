"""Blur and noise: how much fine detail samples have, beside real images."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from plausible.core.errors import NotDefined
from plausible.core.likelihood import Kind
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.measure import Measure, metric

_CHUNK = 1024
_VALUES = 2**24  # numbers in one chunk, so that large images do not fill the memory
_FLAT = 1e-12  # a variance this small is the rounding of float32, not detail
_DECIBEL = 10 / math.log(10)  # decibels in one unit of natural logarithm


def laplacian_variance(x: Tensor) -> Tensor:
    """var over pixels of x(i+1, j) + x(i-1, j) + x(i, j+1) + x(i, j-1) - 4 x(i, j), of each image.

    x (N, C, H, W) -> (N,), averaged over channels, at the positions that have all four neighbours.
    White noise of variance s^2 has 20 s^2, a linear ramp 0.  Raises ``NotDefined`` under 3 pixels a side.
    Source: Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548, who focus microscopes with it.
    """
    return laplacian(x).var((2, 3), correction=0).mean(1)  # (N, C, H - 2, W - 2) -> (N,)


def laplacian(x: Tensor) -> Tensor:
    """x(i+1, j) + x(i-1, j) + x(i, j+1) + x(i, j-1) - 4 x(i, j): (N, C, H, W) -> (N, C, H - 2, W - 2).

    Raises ``NotDefined`` under 3 pixels a side.
    """
    _sides(x)
    middle = x[..., 1:-1, 1:-1]  # (N, C, H, W) -> (N, C, H - 2, W - 2)
    # differences first: of equal pixels they are exactly 0, where 4 x - 4 x may not be
    vertical = (x[..., 2:, 1:-1] - middle) + (x[..., :-2, 1:-1] - middle)
    return vertical + ((x[..., 1:-1, 2:] - middle) + (x[..., 1:-1, :-2] - middle))


def spectrum(x: Tensor) -> tuple[Tensor, Tensor]:
    """|F(w (x - m))|^2 / sum w^2, averaged over rings of equal frequency: (N, C, H, W) -> (N, R).

    Returns the radii 1 .. R = min(H, W) // 2, (R,), in cycles per shorter side, and the power of
    each image at each, averaged over channels.  The corners beyond R are left out.  White noise of
    variance s^2 has power s^2 at every radius but the first, where the mean m is missed.
    w is a Hann window: without one, the jump between opposite edges leaks a power of 1 / radius^2
    into the high frequencies, as much as natural images have there, and hides that they are missing.
    Raises ``NotDefined`` under 3 pixels a side.
    Source: Harris 1978, doi:10.1109/PROC.1978.10837 (windows).
    """
    _sides(x)
    sides = x.shape[2:]
    rows, columns = (torch.hann_window(side, device=x.device) for side in sides)
    window = rows[:, None] * columns  # (H, W)
    mean = (x * window).sum((2, 3), keepdim=True) / window.sum()  # (N, C, 1, 1)
    waves = torch.fft.fft2((x - mean) * window)
    power = waves.abs().square().mean(1) / window.square().sum()  # (N, C, H, W) -> (N, H, W)
    vertical, horizontal = (torch.fft.fftfreq(side, device=x.device) for side in sides)
    distance = torch.hypot(vertical[:, None], horizontal) * min(sides)  # (H, W)
    last = min(sides) // 2
    ring = distance.round().long().clamp(max=last + 1).flatten()  # (H, W) -> (H W,)
    total = power.new_zeros(len(x), last + 2).index_add_(1, ring, power.flatten(1))
    mean_power = total / torch.bincount(ring, minlength=last + 2).clamp(min=1)  # (N, R + 2)
    return torch.arange(1, last + 1), mean_power[:, 1:-1]


def spectra(
    evalset: EvaluationSet, of: Callable[[Tensor], Tensor] = lambda x: x
) -> tuple[Tensor, Tensor, Tensor]:
    """(radii, mean power of H, mean power of G), each (R,): what a plot of both needs; of images, or of what is made of them.

    Raises ``NotDefined`` for vectors.
    """
    real, made = _powers(evalset, of)
    return torch.arange(1, real.shape[1] + 1), real.mean(0), made.mean(0)


@metric()
def laplacian_sharpness(evalset: EvaluationSet) -> Measure:
    """exp(E_G log v - E_H log v), v the variance of the Laplacian: 1 is as sharp as real images.

    Below 1 is blurred, above noisy; a geometric mean, so that one noisy image does not decide.
    """
    if each_image(evalset.heldout, laplacian_variance).mean() < _FLAT:
        raise NotDefined("the held-out images have no detail at all, so no sample can be as sharp")
    views = (evalset.samples, evalset.heldout)
    pooled = torch.cat([each_image(v, laplacian_variance) for v in views]).double()
    # floored, so that one constant image does not decide
    made, real = pooled.clamp(min=1e-4 * pooled.mean().item()).log().split([len(v) for v in views])
    value = (made.mean() - real.mean()).exp().item()
    error = value * math.sqrt(_error(made) + _error(real))
    note = "below 1 blurred, above 1 noisy"
    return Measure(
        "laplacian sharpness", value, error, n=len(made), direction="like real", note=note
    )


@metric()
def power_spectrum(evalset: EvaluationSet) -> Measure:
    """sqrt(E_r d_r^2), d_r = 10 log10(E_G P_r / E_H P_r): how far the spectra lie apart, in decibels.

    P_r is the power at radius r.  The noise of finite sets adds to the square, so the truth is below.
    """
    real, made = _floored(*_powers(evalset))  # (m, R), (n, R)
    apart = _DECIBEL * (made.mean(0) / real.mean(0)).log()  # (R,)
    value = apart.square().mean().sqrt()
    # by the delta method: each image moves the value by its share of the mean of every ring
    slope = _DECIBEL * apart / (len(apart) * value.clamp(min=1e-12))  # (R,)
    errors = [_error((power / power.mean(0)) @ slope) for power in (made, real)]  # (n, R) -> (n,)
    error = math.sqrt(sum(errors))
    return Measure("power spectrum", value.item(), error, n=len(made), kind=Kind.UPPER, unit="dB")


@metric()
def high_frequencies(evalset: EvaluationSet) -> Measure:
    """10 log10(E_G P / E_H P), P the mean power in the upper half of the radii, in decibels.

    0 is like real images; below, fine detail is missing; above, there is noise or a checkerboard.
    """
    real, made = _floored(*_powers(evalset))
    upper = real.shape[1] // 2
    real, made = real[:, upper:].mean(1), made[:, upper:].mean(1)  # (n, R) -> (n,)
    value = _DECIBEL * (made.mean() / real.mean()).log().item()
    error = _DECIBEL * math.sqrt(_error(made / made.mean()) + _error(real / real.mean()))
    note = "below 0 blurred, above 0 noisy"
    return Measure(
        "high frequencies", value, error, n=len(made), unit="dB", direction="like real", note=note
    )


@metric()
def colour_detail(evalset: EvaluationSet) -> Measure:
    """E_r 10 log10(E_G P_r / E_H P_r) over the upper half of the radii, P_r the power of colours less their mean in a pixel.

    0 dB is like real images; above, there are speckles of colour.  Brightness has most of the power of an image, so that these,
    which a person sees at once, hardly change the spectrum of all; each radius counts alike, because most of what colours
    have is at the lowest.  Not defined where there are fewer than three channels, or nothing but greys.
    """
    real, made = _floored(*_powers(evalset, colours))
    upper = real.shape[1] // 2
    real, made = real[:, upper:], made[:, upper:]  # (n, R) -> (n, R / 2)
    value = _DECIBEL * (made.mean(0) / real.mean(0)).log().mean().item()
    errors = [_error((power / power.mean(0)).mean(1)) for power in (made, real)]
    note = "below 0 colours run, above 0 they are speckled"
    return Measure(
        "colour detail", value, _DECIBEL * math.sqrt(sum(errors)), n=len(made), unit="dB",
        direction="like real", note=note,
    )  # fmt: skip


def colours(x: Tensor) -> Tensor:
    """The first three channels less their mean: (N, C, H, W) -> (N, 3, H, W).  Raises ``NotDefined`` of fewer."""
    if x.shape[1] < 3:
        raise NotDefined("there are no colours in images of fewer than three channels")
    return x[:, :3] - x[:, :3].mean(1, keepdim=True)


def _powers(
    evalset: EvaluationSet, of: Callable[[Tensor], Tensor] = lambda x: x
) -> tuple[Tensor, Tensor]:
    """The spectra of held-out images and of samples, or of what is made of them, (m, R) and (n, R) float64."""
    return tuple(  # type: ignore[return-value]  # two sides make a pair
        each_image(embedded, lambda x: spectrum(of(x))[1]).double()
        for embedded in (evalset.heldout, evalset.samples)
    )


def _floored(real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    """Both with no power below 1e-6 of the real mean, less than rounding to 256 levels leaves."""
    if real.mean() < _FLAT:
        raise NotDefined(
            "the held-out images are constant or without colours, so there is no power to compare with"
        )
    floor = 1e-6 * real.mean()
    return real.clamp(min=floor), made.clamp(min=floor)


def each_image(embedded: Embedded, function: Callable[[Tensor], Tensor]) -> Tensor:
    """function(x) of all images, a chunk at a time: (N, ...)."""
    space = embedded.part.space
    if not space.is_image:
        raise NotDefined("sharpness is defined for images, and these data are vectors")
    chunks = torch.arange(len(embedded)).split(max(1, min(_CHUNK, _VALUES // space.dims)))
    return torch.cat([function(embedded.part.batch(rows).x) for rows in chunks])


def _error(values: Tensor) -> float:
    """The squared standard error of the mean of values (n,); of one value nobody knows it."""
    return values.var().item() / len(values) if len(values) > 1 else math.nan


def _sides(x: Tensor) -> None:
    if min(x.shape[2:]) < 3:
        height, width = x.shape[2:]
        raise NotDefined(
            f"sharpness needs images of at least 3 pixels a side, not {width}x{height}"
        )
