"""Does anything that no other test owns tell samples from real data?"""

from torch import Generator

from plausible.data.part import Part
from plausible.evaluation.critic.views import WHOLE
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.verdict.critic_test import critic_test
from plausible.evaluation.verdict.defect import ExactTest, defect
from plausible.evaluation.verdict.planting import Planted, some_of, with_x


def unrelated(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """This share of the samples is half of one point and half of another: the left of an image, or every other coordinate."""
    x = points.as_batch().x
    half = x.roll(len(x) // 3, 0)
    if points.space.is_image:
        middle = x.shape[3] // 2
        half[..., middle:] = x[..., middle:]
    else:
        half[:, ::2] = x[:, ::2]
    return some_of(with_x(points, half), effect)


@defect(
    "anything else",
    0.1,
    "a critic tells fresh samples from held-out data: at least {effect} of the probability mass differs",
    "a critic that learned to tell samples from real data finds less than {margin} of the mass that differs",
    plant=unrelated,
    aspect=WHOLE,
)
def anything_else(evalset: EvaluationSet) -> ExactTest:
    """The least total variation between G and H that the critic of everything proves."""
    return critic_test(evalset, WHOLE)
