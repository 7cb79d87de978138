"""Do samples repeat one another?"""

import torch
from torch import Generator, Tensor

from plausible.data.part import Part
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.verdict.alike import alike, excess
from plausible.evaluation.verdict.defect import PreparedTest, defect
from plausible.evaluation.verdict.planting import Planted, in_groups


def repeated(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """This share of the samples repeats one point, another one in each variant."""
    size = max(2, round(effect * len(points)))
    block = torch.randperm(len(points), generator=generator).argsort() // size  # (N,)
    first = torch.stack([(block == k).nonzero()[0, 0] for k in range(int(block.max()) + 1)])
    return in_groups(points.rows(first[block]), block)


@defect(
    "duplicates",
    0.03,
    "{effect} of the samples (nearly) repeat another sample",
    "at most {margin} of the samples (nearly) repeat another sample",
    plant=repeated,
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

    def repeats_its_own(labels: GroupLabels) -> Tensor:
        samples, held = labels.is_sample, labels.is_heldout
        its_own = samples[:, index] & samples[:, rows, None] | held[:, index] & held[:, rows, None]
        return (its_own & inside).any(2)  # (B, S, k) -> (B, S)

    return excess(evalset, rows, inside.shape[1], repeats_its_own)
