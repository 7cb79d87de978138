"""Do samples lie where no real data are?"""

import torch

from plausible.core.errors import NotDefined
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.metrics.neighbours import nearest
from plausible.evaluation.verdict.defect import PreparedTest, defect, detectable_rate
from plausible.evaluation.verdict.whitening import whitening

_RIDGE = 0.02  # of the mean eigenvalue, added before whitening: small, so that noise stands out
_CHANCE = 1 / 500  # share of training examples that count as outliers
_BEYOND = 1.3  # times as far off as those
_QUANTILE, _TRAIN = 5000, 20_000  # training examples looked at, at most


@defect(
    "garbage",
    0.03,
    "{effect} of the samples lie farther from all training data than real data do",
    "at most {margin} of the samples lie where no real data are",
)
def garbage(evalset: EvaluationSet) -> PreparedTest:
    """P_G(d > tau) - P_H(d > tau), d the distance to T and tau 1.3 times its 99.8% quantile within T.

    Distances are whitened by the covariance of T, or noise would hide: what leaves the directions in
    which real data vary is not far in pixels.  At most 20,000 of T are looked at.
    """
    rows = torch.randperm(len(evalset.train), generator=evalset.generator())[:_TRAIN]
    train = evalset.train.raw[rows]
    if len(train) < 3:
        raise NotDefined(
            f"{len(train)} training examples are too few to say how far apart they are"
        )
    white = whitening(train - train.mean(0), _RIDGE)
    train = train @ white
    points = torch.cat([evalset.samples.raw, evalset.heldout.raw]) @ white
    # the nearest of its own kind is itself, so the second counts
    limit = _BEYOND * nearest(train[:_QUANTILE], train, 2)[0][:, 1].quantile(1 - _CHANCE)
    outside = (nearest(points, train, 1)[0][:, 0] > limit).float()  # (N,)
    base_rate = float(outside[len(evalset.samples) :].mean())
    return PreparedTest(
        lambda labels: labels.difference(outside), lambda null: detectable_rate(null, base_rate)
    )
