"""Does anything that no other test owns tell samples from real data?"""

import torch

from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.metrics.neighbours import nearest_other
from plausible.evaluation.metrics.two_sample import neighbour_accuracy
from plausible.evaluation.verdict.defect import PreparedTest, defect, detectable_excess


@defect(
    "anything else",
    0.1,
    "the nearest neighbour tells samples from real data with an accuracy of 50% + {effect}",
    "the nearest neighbour does not tell samples from real data by {margin} over 50%",
)
def anything_else(evalset: EvaluationSet) -> PreparedTest:
    """Accuracy of the leave-one-out nearest neighbour classifier of G against H, minus one half."""
    points = torch.cat([evalset.samples.features, evalset.heldout.features])
    neighbour = nearest_other(points, evalset.generator())  # (N,)
    return PreparedTest(
        lambda labels: neighbour_accuracy(neighbour, labels) - 0.5, detectable_excess
    )
