"""Do samples repeat one another?"""

import torch

from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.verdict.alike import alike, excess
from plausible.evaluation.verdict.defect import PreparedTest, defect


@defect(
    "duplicates",
    0.03,
    "{effect} of the samples (nearly) repeat another sample",
    "at most {margin} of the samples (nearly) repeat another sample",
)
def duplicates(evalset: EvaluationSet) -> PreparedTest:
    """P_G(d < tau <= t) - P_H(d < tau <= t), d the distance to the nearest other of its own side, t that to T.

    tau is at most a tenth of the distance that real neighbours keep, see ``likeness``.  What repeats a
    training example is no matter of this test: it is a copy, or data have few values.
    """
    near = alike(evalset)
    tau = near.likeness.repeated
    inside = near.distance <= tau  # (N, k)
    rows = (inside.any(1) & (near.to_train > tau)).nonzero()[:, 0]
    inside, index = inside[rows], near.index[rows]

    def repeats_its_own(labels: GroupLabels) -> torch.Tensor:
        same_side = labels.is_sample[:, index] == labels.is_sample[:, rows, None]  # (B, S, k)
        return (same_side & inside).any(2)

    return excess(rows, inside.shape[1], repeats_its_own)
