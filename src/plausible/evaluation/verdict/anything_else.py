"""Does anything that no other test owns tell samples from real data?"""

from plausible.core.errors import NotDefined
from plausible.evaluation.critic.critic import critiques
from plausible.evaluation.critic.critique import detectable_variation
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.verdict.defect import ExactTest, NullSummary, defect


@defect(
    "anything else",
    0.1,
    "a critic tells fresh samples from held-out data: at least {effect} of the probability mass differs",
    "a critic that learned to tell samples from real data finds less than {margin} of the mass that differs",
)
def anything_else(evalset: EvaluationSet) -> ExactTest:
    """The least total variation between G and H that the critic proves, with a confidence of 95%.

    It passes when an effect as large as the margin would have been found and 2 accuracy - 1 of this
    critic lies below the margin at 97.5%; n sets how certain that is, never how large it is.
    """
    said = critiques(evalset)
    if not said:
        raise NotDefined("no critic was asked")
    last = said[-1]

    def detectable(null: NullSummary) -> float:
        return detectable_variation(last.asked * null.n / null.size, null.alpha, null.power)

    return ExactTest(last.bound, last.interval, last.p, detectable)
