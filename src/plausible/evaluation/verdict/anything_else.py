"""Does anything that no other test owns tell samples from real data?"""

import torch
from torch import Generator

from plausible.data.part import Part
from plausible.evaluation.critic.views import WHOLE
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.verdict.critic_test import critic_test
from plausible.evaluation.verdict.defect import ExactTest, defect
from plausible.evaluation.verdict.looks import coarser_pixels, quarters_exchanged
from plausible.evaluation.verdict.planting import Planted, some_of, with_x


def unlike_any(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """This share of the samples has its quarters in another order and pixels of twice the size.

    Of vectors one coordinate is three deviations off.
    """
    x = points.as_batch().x
    if points.space.is_image:
        return some_of(with_x(points, coarser_pixels(quarters_exchanged(x))), effect)
    column = int(torch.randint(x.shape[1], (1,), generator=generator))
    x[:, column] += 3 * x[:, column].std(correction=0)
    return some_of(with_x(points, x), effect)


@defect(
    "anything else",
    0.1,
    "a critic tells fresh samples from held-out data: at least {effect} of the probability mass differs",
    "a critic that learned to tell samples from real data finds less than {margin} of the mass that differs",
    plant=unlike_any,
    aspect=WHOLE,
)
def anything_else(evalset: EvaluationSet) -> ExactTest:
    """The least total variation between G and H that the critic of everything proves."""
    return critic_test(evalset, WHOLE)
