"""A critic's answer as a test of the verdict: the least total variation that it proves."""

from plausible.evaluation.critic.critic import critiques
from plausible.evaluation.critic.critique import detectable_variation
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.verdict.defect import ExactTest, NullSummary


def critic_test(evalset: EvaluationSet, aspect: str) -> ExactTest:
    """The least total variation between G and H in one aspect that its critic proves, with a confidence of 95%.

    It passes when an effect as large as the margin would have been found and 2 accuracy - 1 of this
    critic lies below the margin at 97.5%; n sets how certain that is, never how large it is.
    """
    last = critiques(evalset, aspect)[-1]

    def detectable(null: NullSummary) -> float:
        return detectable_variation(last.asked * null.n / null.size, null.alpha, null.power)

    return ExactTest(last.bound, last.interval, last.p, detectable)
