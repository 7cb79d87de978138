"""A critic's answer as a test of the verdict: the least total variation that it proves."""

from plausible.evaluation.critic.critic import critiques
from plausible.evaluation.critic.critique import detectable_variation
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.verdict.defect import ExactTest, NullSummary

TAUGHT = 1000
"""Samples that must have taught a critic before its not seeing anything says something."""


def critic_test(evalset: EvaluationSet, aspect: str) -> ExactTest:
    """The least total variation between G and H in one aspect that its critic proves, with a confidence of 95%.

    It passes when an effect as large as the margin would have been found and 2 accuracy - 1 of this
    critic lies below the margin at 97.5%.  A critic that few samples taught may have overlooked what more would
    have shown it, so that below ``TAUGHT`` of them it FAILs or says how many would decide.
    """
    last = critiques(evalset, aspect)[-1]

    def detectable(null: NullSummary) -> float:
        times = null.n / null.size
        if last.learned * times < TAUGHT:
            return 1.0
        return detectable_variation(last.asked * times, null.alpha, null.power)

    few = f"{last.learned:,} samples taught this critic, which may overlook what {TAUGHT:,} show"
    return ExactTest(
        last.bound, last.interval, last.p, detectable, few if last.learned < TAUGHT else ""
    )
