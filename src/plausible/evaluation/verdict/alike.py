"""Who lies how near to whom among samples, held-out and training data: what the tests for copies share."""

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from plausible.evaluation.evaluation_set import EvaluationSet, Likeness
from plausible.evaluation.likeness import check_enough, likeness, nearest_alike, views
from plausible.evaluation.metrics.memorisation import likest_train
from plausible.evaluation.permutation import GroupLabels, observed
from plausible.evaluation.verdict.defect import PreparedTest, detectable_rate

_LISTED = 24  # of the nearest others of each point

Hit = Callable[[GroupLabels], Tensor]


@dataclass(frozen=True)
class Alike:
    """Distances of the N = 2n points of G and H, G first, as ``likeness`` measures them.

    likeness   its thresholds.
    to_train   (N,) to the nearest training example.
    to_spare   (N,) to the nearest held-out one beyond H; infinite where there are none.
    distance, index  (N, k) to the k = 24 nearest others of G and H, and which they are.
    """

    likeness: Likeness
    to_train: Tensor
    to_spare: Tensor
    distance: Tensor
    index: Tensor


_measured: WeakKeyDictionary[EvaluationSet, Alike] = WeakKeyDictionary()


def alike(evalset: EvaluationSet) -> Alike:
    """Measured once for a set; equal distances stand in random order, or the order of the rows would say who is who."""
    if evalset not in _measured:
        _measured[evalset] = _measure(evalset)
    return _measured[evalset]


def excess(evalset: EvaluationSet, rows: Tensor, width: int, hit: Hit) -> PreparedTest:
    """P_G(hit) - P_H(hit) as a test, where only the points ``rows`` (S,) can be hit.

    hit    GroupLabels with B rows -> (B, S), whether each of these points is hit under these labels.
    width  numbers that it needs for each of them.
    """

    def statistic(labels: GroupLabels) -> Tensor:
        step, values = max(1, 2**25 // max(len(rows) * width, 1)), []
        for start in range(0, len(labels), step):
            few = labels[slice(start, start + step)]
            hits = hit(few)
            g, h = few.g[:, rows] * hits, few.h[:, rows] * hits
            values.append(g.sum(1) / few.g.sum(1) - h.sum(1) / few.h.sum(1))
        return torch.cat(values)

    now = observed(len(evalset.samples), len(evalset.heldout))
    base_rate = (now.h[:, rows] * hit(now)).sum().item() / len(evalset.heldout)
    return PreparedTest(statistic, lambda null: detectable_rate(null, base_rate))


def _measure(evalset: EvaluationSet) -> Alike:
    check_enough(evalset.train)
    like, both = likeness(evalset), (evalset.samples, evalset.heldout)
    points = [torch.cat(pair) for pair in zip(*map(views, both), strict=True)]  # (N, p) each
    to_train = torch.cat([likest_train(part, evalset)[0][:, 0] for part in both])
    to_spare = torch.full_like(to_train, torch.inf)
    if evalset.spare is not None and len(evalset.spare):
        to_spare = nearest_alike(points, views(evalset.spare), 1, like.scales)[0][:, 0]
    order = torch.randperm(len(to_train), generator=evalset.generator())
    shuffled = [view[order] for view in points]
    count = min(_LISTED, len(order) - 1)
    found = nearest_alike(shuffled, shuffled, count, like.scales, exclude_self=True)
    back = order.argsort()
    return Alike(like, to_train, to_spare, found[0][back], order[found[1][back]])
