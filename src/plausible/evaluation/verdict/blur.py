"""Are samples as sharp as real images?"""

import math
from dataclasses import replace

import torch
from torch import Generator, Tensor, nn

from plausible.core.errors import NotDefined
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.metrics.sharpness import each_image, laplacian
from plausible.evaluation.shrink import shrunk
from plausible.evaluation.verdict.defect import NullSummary, PreparedTest, defect, detectable_shift
from plausible.evaluation.verdict.planting import Planted, everywhere, with_x

_FLAT = 1e-4  # of the mean, the least
_NONE = 1e-12  # nothing but rounding
_SMALL = 16  # pixels a side
_FEW = 200  # images by which the width of a planted blur is found


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Convolution with a Gaussian of ``sigma`` pixels, edges repeated: (N, C, H, W)."""
    reach = max(1, math.ceil(3 * sigma))
    offsets = torch.arange(-reach, reach + 1)
    kernel = (-offsets.square() / (2 * sigma**2)).exp()
    kernel = (kernel / kernel.sum()).to(x).repeat(x.shape[1], 1)  # (C, 2 r + 1)
    x = nn.functional.pad(x, (reach, reach, reach, reach), mode="replicate")
    x = nn.functional.conv2d(x, kernel[:, None, :, None], groups=x.shape[1])
    return nn.functional.conv2d(x, kernel[:, None, None, :], groups=x.shape[1])


def too_soft(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """Every image blurred as far as the contrast between neighbouring pixels falls by ``effect``, in the mean of logs."""
    if not points.space.is_image:
        raise NotDefined("only images can be blurred")
    few = points.batch(slice(0, _FEW)).x
    before, low, high = _log_detail(few), 0.1, 4.0
    for _ in range(12):
        sigma = (low + high) / 2
        fall = 1 - math.exp(_log_detail(blurred(few, sigma)) - before)
        low, high = (sigma, high) if fall < effect else (low, sigma)
    chunks = torch.arange(len(points)).split(1024)
    return everywhere(with_x(points, torch.cat([blurred(points.batch(c).x, high) for c in chunks])))


@defect(
    "blur or noise",
    0.15,
    "samples are {direction}: the contrast between neighbouring pixels, beside that of the image, is off by {effect}",
    "the contrast between neighbouring pixels, beside that of the image, is not off by {margin}",
    effect=lambda gap: torch.expm1(gap).abs(),
    plant=too_soft,
    directions=("too soft", "too noisy or too sharp"),
)
def blur(evalset: EvaluationSet) -> PreparedTest:
    """mean_G s - mean_H s, s the log mean |Laplacian| of an image over its deviation at a quarter the size; two-sided.

    Its effect is the change of the contrast between neighbours, |exp(.) - 1|; that of the whole image cancels.
    Magnitudes and not squares, which edges rule: noise shows where an image is flat.
    """
    views = (evalset.samples, evalset.heldout)
    detail = torch.cat([each_image(v, _detail) for v in views])
    if detail.mean() < _NONE:
        raise NotDefined("no image has any detail, so none can be more or less sharp")
    scores = _log(detail) - _log(torch.cat([each_image(v, _variance) for v in views])) / 2  # (N,)
    scores = scores.float()

    def detectable(null: NullSummary) -> float:
        return math.expm1(detectable_shift(replace(null, alpha=null.alpha / 2)))

    return PreparedTest(lambda labels: labels.difference(scores), detectable)


def _detail(x: Tensor) -> Tensor:
    """Mean |Laplacian|: (N, C, H, W) -> (N,).  Raises ``NotDefined`` under 3 pixels a side."""
    return laplacian(x).abs().mean((1, 2, 3))


def _variance(x: Tensor) -> Tensor:
    """That of an image at a quarter the size, which little blur or noise changes: (N, C, H, W) -> (N,).

    Under 16 pixels a side a blur changes all there is but the mean, whose square takes its place.
    """
    if min(x.shape[2:]) < _SMALL:
        return x.mean((1, 2, 3)).square()
    return shrunk(x, 8, divisor=4).var((2, 3), correction=0).mean(1)


def _log(values: Tensor) -> Tensor:
    """Floored at a small part of their mean, so that one flat image does not decide: (N,) float64."""
    values = values.double()
    return values.clamp(min=max(_FLAT * values.mean().item(), _NONE)).log()


def _log_detail(x: Tensor) -> float:
    """Mean of s: (N, C, H, W) -> a number."""
    return (_log(_detail(x)) - _log(_variance(x)) / 2).mean().item()
