"""Do samples lie where no real data are?"""

import torch
from torch import Generator

from plausible.data.part import Part
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.reach import reach
from plausible.evaluation.verdict.defect import PreparedTest, defect, detectable_rate
from plausible.evaluation.verdict.planting import Planted, some_of, with_x

_TRAIN = 20_000  # training examples looked at, at most


def nonsense(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """This share of the samples has its pixels in another order, or is uniform in the box that holds the training part."""
    x = points.as_batch().x
    flat = x.flatten(1)  # (N, D)
    if points.space.is_image:
        order = torch.rand(flat.shape, generator=generator).argsort(1)
        return some_of(with_x(points, flat.gather(1, order).view_as(x)), effect)
    low, high = train.as_batch().x.aminmax(dim=0)  # (D,)
    uniform = torch.rand(flat.shape, generator=generator)
    return some_of(with_x(points, low + (high - low) * uniform), effect)


@defect(
    "garbage",
    0.03,
    "{effect} of the samples lie farther from all training data than real data do",
    "at most {margin} of the samples lie where no real data are",
    plant=nonsense,
)
def garbage(evalset: EvaluationSet) -> PreparedTest:
    """P_G(d > tau) - P_H(d > tau), d the distance to T and tau beyond what real data keep: see ``reach``.

    At most 20,000 of T are looked at.
    """
    rows = torch.randperm(len(evalset.train), generator=evalset.generator())[:_TRAIN]
    known = reach(evalset.train.raw[rows], evalset.space.is_image)
    points = torch.cat([evalset.samples.raw, evalset.heldout.raw])
    outside = known.misses(points).float()  # (N,)
    base_rate = float(outside[len(evalset.samples) :].mean())
    return PreparedTest(
        lambda labels: labels.difference(outside), lambda null: detectable_rate(null, base_rate)
    )
