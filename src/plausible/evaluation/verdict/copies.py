"""Are samples copies of real data: of training examples, or of the very data that they are held against?"""

import torch
from torch import Generator, Tensor

from plausible.data.part import Part
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.likeness import nearest_alike, views
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.verdict.alike import Alike, alike, excess
from plausible.evaluation.verdict.defect import PreparedTest, defect
from plausible.evaluation.verdict.planting import Planted, some_of, with_x

_NOISE = 0.02  # of the deviation of the data, which makes a copy a near one


def near_copies(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """This share of the samples are training examples with a little noise, half of the images mirrored."""
    rows = torch.randint(len(train), (len(points),), generator=generator)
    return some_of(_nearly(points, train.batch(rows).x, generator), effect)


def near_heldout(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """This share of the samples are others of the real points, which an evaluation holds out, changed as little."""
    others = points.batch(torch.arange(len(points)).roll(len(points) // 2)).x
    return some_of(_nearly(points, others, generator), effect)


def _nearly(points: Part, x: Tensor, generator: Generator) -> Part:
    if points.space.is_image:
        mirrored = torch.rand(len(x), generator=generator) < 0.5
        x = torch.where(mirrored.view(-1, 1, 1, 1), x.flip(3), x)
    deviation = x.std(0, correction=0) if not points.space.is_image else x.std()
    noise = torch.randn(x.shape, generator=generator)
    return with_x(points, x + _NOISE * deviation * noise)


@defect(
    "copies",
    0.03,
    "{effect} of the samples are near copies of training examples",
    "at most {margin} of the samples are near copies of training examples",
    plant=near_copies,
)
def copies(evalset: EvaluationSet) -> PreparedTest:
    """P_G(r < rho) - P_H(r < rho), r = distance to T / distance to the nearest other one in H.

    Distances are over small changes, and rho is chosen by T alone, see ``likeness``.  The statistic is a function
    of the labels alone, up to balls that 24 others share: of those no shuffle keeps H out but with probability
    2^-24, and they count only as they really are.  Shuffling G with H keeps its power however large T is;
    shuffling T with H, as ``memorisation`` does, loses it when T is much larger than H, because a copied
    example is then likely to be one of T by chance.
    """
    near = alike(evalset)
    radius = near.to_train / near.likeness.copied  # (N,)
    inside = near.distance <= radius[:, None]  # (N, k)
    possible = near.to_spare > radius
    crowded = (inside.all(1) & possible).nonzero()[:, 0]
    possible[crowded] = _to_heldout(evalset, near, crowded) > radius[crowded]
    rows = possible.nonzero()[:, 0]
    inside, index = inside[rows], near.index[rows]  # (S, k)
    return excess(
        evalset,
        rows,
        inside.shape[1],
        lambda labels: ~(labels.is_heldout[:, index] & inside).any(2),
    )


@defect(
    "held-out copies",
    0.03,
    "{effect} of the samples are held-out items or near copies of them, so the program that drew them has seen what "
    "they are held against",
    "at most {margin} of the samples are near copies of held-out items",
    plant=near_heldout,
    voids="says nothing, because the samples are in part the very data that they are held against",
)
def heldout_copies(evalset: EvaluationSet) -> PreparedTest:
    """P_G(s < rho) - P_H(s < rho), s = distance to the nearest other held-out example / distance to T.

    The mirror image of ``copies``: held-out data lie as near to one another as samples lie to them unless the
    program has seen them.  Held-out data beyond the n that are compared count as well.
    """
    near = alike(evalset)
    radius = near.likeness.seen * near.to_train  # (N,)
    inside, known = near.distance < radius[:, None], near.to_spare < radius  # (N, k), (N,)
    rows = (inside.any(1) | known).nonzero()[:, 0]
    inside, known, index = inside[rows], known[rows], near.index[rows]

    def repeats_heldout(labels: GroupLabels) -> Tensor:
        return (labels.is_heldout[:, index] & inside).any(2) | known  # (B, S, k) -> (B, S)

    return excess(evalset, rows, inside.shape[1], repeats_heldout)


def _to_heldout(evalset: EvaluationSet, near: Alike, rows: Tensor) -> Tensor:
    """Distance of these points of G and H to the nearest other one of H: (S,)."""
    if not len(rows):
        return near.to_train[rows]
    held, n = views(evalset.heldout), len(evalset.samples)
    points = [torch.cat([a, b])[rows] for a, b in zip(views(evalset.samples), held, strict=True)]
    count = min(2, len(evalset.heldout))
    distance, index = nearest_alike(points, held, count, near.likeness.scales)
    return distance.masked_fill(index == (rows - n)[:, None], torch.inf).amin(1)
