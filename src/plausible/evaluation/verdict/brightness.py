"""Are samples as bright as real images, channel by channel, and of as much contrast?"""

import torch
from torch import Generator, Tensor

from plausible.core.errors import NotDefined
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.metrics.sharpness import each_image
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.verdict.defect import PreparedTest, defect, detectable_excess
from plausible.evaluation.verdict.planting import Planted, everywhere, with_x

_FLAT = 1e-2  # of the mean contrast, below which an image counts as one of that contrast
_DARK = 1e-3  # a mean level below which nothing can be darker


def darker(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """Every pixel times 1 - effect, which changes brightness and contrast by that."""
    if not points.space.is_image:
        raise NotDefined("only images can be darker")
    return everywhere(with_x(points, points.as_batch().x * (1 - effect)))


@defect(
    "brightness or contrast",
    0.1,
    "the mean of a channel, or the contrast of an image, is off by {effect}",
    "neither the mean of a channel nor the contrast of an image is off by {margin}",
    plant=darker,
)
def brightness(evalset: EvaluationSet) -> PreparedTest:
    """max over channels c of |E_G m_c - E_H m_c| / m and |exp(E_G log s - E_H log s) - 1|.

    m_c is the mean of channel c of an image and m that of all channels of all images; s is the
    deviation of an image's pixels from the means of their channels.  Two-sided.
    """
    if not evalset.space.is_image:
        raise NotDefined("brightness and contrast are those of images, and these data are vectors")
    levels = torch.cat([each_image(v, _levels) for v in (evalset.samples, evalset.heldout)])
    contrast = torch.cat([each_image(v, _contrast) for v in (evalset.samples, evalset.heldout)])
    if contrast.mean() <= 1e-6 or levels.mean() <= _DARK:
        raise NotDefined("the images are all of one grey, or black")
    log_contrast = contrast.clamp(min=_FLAT * contrast.mean().item()).log()  # (N,)
    scores = torch.cat([levels / levels.mean(), log_contrast[:, None]], 1)  # (N, C + 1)

    def statistic(labels: GroupLabels) -> Tensor:
        apart = labels.g @ scores / labels.g.sum(1, keepdim=True)
        apart -= labels.h @ scores / labels.h.sum(1, keepdim=True)  # (B, N), (N, C + 1)
        apart[:, -1] = torch.expm1(apart[:, -1])
        return apart.abs().amax(1)  # (B, C + 1) -> (B,)

    return PreparedTest(statistic, detectable_excess)


def _levels(x: Tensor) -> Tensor:
    return x.mean((2, 3))  # (N, C, H, W) -> (N, C)


def _contrast(x: Tensor) -> Tensor:
    return x.var((2, 3), correction=0).mean(1).sqrt()  # (N, C, H, W) -> (N,)
