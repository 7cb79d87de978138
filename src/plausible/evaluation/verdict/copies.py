"""Are samples copies of training examples?"""

from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.metrics.memorisation import copy_statistic
from plausible.evaluation.verdict.defect import PreparedTest, defect, detectable_rate


@defect(
    "copies",
    0.03,
    "{effect} of the samples are near copies of training examples",
    "at most {margin} of the samples are near copies of training examples",
)
def copies(evalset: EvaluationSet) -> PreparedTest:
    """P_G(r < rho) - P_H(r < rho), r = distance to T / distance to the nearest other one in H."""
    statistic, base_rate = copy_statistic(evalset)
    return PreparedTest(statistic, lambda null: detectable_rate(null, base_rate))
