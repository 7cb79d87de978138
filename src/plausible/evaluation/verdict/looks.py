"""In what do samples look different: in shape, texture or colour?  One critic each, which sees nothing else."""

import torch
from torch import Generator, Tensor
from torch.nn.functional import interpolate

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.critic.views import VIEWS
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.shrink import shrunk
from plausible.evaluation.verdict.critic_test import critic_test
from plausible.evaluation.verdict.defect import ExactTest, defect
from plausible.evaluation.verdict.planting import Planted, some_of, with_x

_MARGIN = 0.1


def other_shapes(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """This share of the samples has the four quarters of an image in another order."""
    _need(points.space, "shape")
    return some_of(with_x(points, quarters_exchanged(points.as_batch().x)), effect)


def other_textures(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """This share of the samples has pixels of twice the size."""
    _need(points.space, "texture")
    return some_of(with_x(points, coarser_pixels(points.as_batch().x)), effect)


def other_colours(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """This share of the samples has its first three channels in another order."""
    _need(points.space, "colour")
    x = points.as_batch().x
    return some_of(with_x(points, torch.cat([x[:, [1, 2, 0]], x[:, 3:]], 1)), effect)


def quarters_exchanged(x: Tensor) -> Tensor:
    """Every image moved by half of itself, around its edges: (N, C, H, W)."""
    return x.roll(tuple(side // 2 for side in x.shape[2:]), (2, 3))


def coarser_pixels(x: Tensor) -> Tensor:
    """Pixels of twice the size: (N, C, H, W)."""
    return interpolate(shrunk(x, max(x.shape[2:]), divisor=2), x.shape[2:], mode="nearest")


@defect(
    "shape",
    _MARGIN,
    "a critic that sees 8 x 8 pixels tells samples from real images: at least {effect} of the probability mass differs in shape",
    "a critic that sees 8 x 8 pixels finds less than {margin} that differs",
    plant=other_shapes,
    aspect="shape",
)
def shape(evalset: EvaluationSet) -> ExactTest:
    """The total variation of coarse versions."""
    return _look(evalset, "shape")


@defect(
    "texture",
    _MARGIN,
    "a critic that sees patches of fine detail tells samples from real images: at least {effect} of the probability mass differs in texture",
    "a critic that sees patches of fine detail finds less than {margin} that differs",
    plant=other_textures,
    aspect="texture",
)
def texture(evalset: EvaluationSet) -> ExactTest:
    """The total variation of what is finer than 3 x 3 pixels, in patches of 10 x 10."""
    return _look(evalset, "texture")


@defect(
    "colour",
    _MARGIN,
    "a critic that sees histograms of colours tells samples from real images: at least {effect} of the probability mass differs in colour",
    "a critic that sees histograms of colours finds less than {margin} that differs",
    plant=other_colours,
    aspect="colour",
)
def colour(evalset: EvaluationSet) -> ExactTest:
    """The total variation of the shares of colours."""
    return _look(evalset, "colour")


def _look(evalset: EvaluationSet, aspect: str) -> ExactTest:
    _need(evalset.space, aspect)
    return critic_test(evalset, aspect)


def _need(space: Space, aspect: str) -> None:
    """Refuse points that have no such aspect."""
    view = VIEWS[aspect]
    if not space.is_image:
        raise NotDefined(f"{aspect} is that of images, and these data are vectors")
    if space.shape[0] < view.least:
        raise NotDefined("grey images have no colours")
    if not view.fits(space):
        size = f"{space.shape[2]}x{space.shape[1]}"
        raise NotDefined(f"images of {size} pixels are too small to look at in parts")
