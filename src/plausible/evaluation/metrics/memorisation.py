"""Did the generator learn the distribution, or its training examples by heart?

Distances here are those of ``likeness``, over small changes of an image, never in features that were fitted to the
training part: there everything would lie closer to it.
"""

import math
from dataclasses import replace

import numpy as np
import scipy
import torch
from torch import Tensor

from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.likeness import (
    Neighbours,
    check_enough,
    least,
    likeness,
    nearest_alike,
    views,
)
from plausible.evaluation.measure import Measure, metric
from plausible.evaluation.metrics.neighbours import nearest
from plausible.evaluation.permutation import p_value

_DRAWS = 1999
_SURELY = 0.001  # chance of so few samples near T below which they have not been drawn without H


def nearest_train(points: Embedded, train: Embedded) -> Neighbours:
    """Raw distances of each point to its two nearest training examples, and their rows, (n, 2) each.

    With a single training example the second is at infinity.
    """
    if points.nearest_train is not None:
        return points.nearest_train
    return _two_nearest(points.raw, train.raw)


def likest_train(points: Embedded, evalset: EvaluationSet) -> Neighbours:
    """The same by the distance of ``likeness``."""
    if points.likest_train is not None:
        return points.likest_train
    pairs = zip(views(points)[1:], views(evalset.train)[1:], strict=True)
    found = [nearest_train(points, evalset.train), *(_two_nearest(a, b) for a, b in pairs)]
    return least(found, likeness(evalset).scales)


def with_train_distances(evalset: EvaluationSet) -> EvaluationSet:
    """The same set with every distance to the training part measured once for all that ask."""
    train, samples, heldout = (
        replace(points, views=views(points))
        for points in (evalset.train, evalset.samples, evalset.heldout)
    )
    evalset = replace(evalset, train=train)
    evalset = replace(evalset, likeness=likeness(evalset))
    samples, heldout = (
        replace(points, nearest_train=nearest_train(points, train)) for points in (samples, heldout)
    )
    samples, heldout = (
        replace(points, likest_train=likest_train(points, evalset)) for points in (samples, heldout)
    )
    return replace(evalset, samples=samples, heldout=heldout)


@metric()
def memorisation(evalset: EvaluationSet) -> list[Measure]:
    """How much nearer samples are to T than to H, and how many nearly repeat an example of T.

    copied fraction   c = (p - pi) / (1 - pi): p the share of samples nearer to T than to H, pi =
                      |T| / (|T| + |H|).  0 is what independent samples give, 1 a generator that only
                      copies.  Its p-value shuffles which points are T and which are H, 1,999 times;
                      its error treats the examples that samples are nearest to as independent.
                      Where they are nearer to H than chance allows, no share of them can be named: the
                      program knows H, or T and H are not drawn alike.
    near duplicates   the share of samples whose nearest of T and H is at most rho times as far as
                      the second nearest, and lies in T.  Its p-value: if T and H are alike, the
                      number of different examples so repeated that lie in T is hypergeometric,
                      given rho (one half, or less where the data need it, see ``likeness``).
    Source: the nearest-neighbour label under exchangeability, as in Meehan et al. 2020,
    https://arxiv.org/abs/2004.05675.
    """
    check_enough(evalset.train)
    t, h, n = len(evalset.train), len(evalset.heldout), len(evalset.samples)
    distance, index = _two_nearest_real(evalset)  # (n, 2) and (n,)
    share, pi = (index < t).double().mean().item(), t / (t + h)
    targets, times = index.unique(return_counts=True)  # (J,), (J,)
    # Shuffled labels of J given points: how many are T, then which.
    source = np.random.default_rng(evalset.seed)
    counts = torch.from_numpy(source.hypergeometric(t, h, len(targets), _DRAWS))  # (B,)
    places = torch.rand(_DRAWS, len(targets), generator=evalset.generator()).argsort(1)
    null = ((places < counts[:, None]).float() @ times.float()) / n  # (B,)

    error = (times * ((targets < t).double() - share)).square().sum().sqrt().item() / n
    near = distance[:, 0] < likeness(evalset).doubled * distance[:, 1]
    repeated, copied = index[near].unique(), (index[near] < t).sum().item() / n
    in_t = int((repeated < t).sum())
    p = float(scipy.stats.hypergeom.sf(in_t - 1, t + h, t, len(repeated)))
    expected = f"{share:.1%} of the samples are nearer to training data, {pi:.1%} expected"
    copied_fraction = Measure(
        "copied fraction", (share - pi) / (1 - pi), error / (1 - pi), p=p_value(share, null), n=n,
        direction="like real", note=expected,
    )  # fmt: skip
    if p_value(-share, -null) <= _SURELY:
        reason = (
            f"{expected}, which is too few for chance: the program knows the held-out data, or these are "
            "not drawn like the training data"
        )
        copied_fraction = Measure("copied fraction", None, n=n, direction="like real", note=reason)
    return [
        copied_fraction,
        Measure(
            "near duplicates", copied, math.sqrt(copied * (1 - copied) / n), p=p, n=n,
            direction="like real",
            note=f"of {len(repeated)} examples nearly repeated {in_t} are training examples",
        ),
    ]  # fmt: skip


def likeliest_copies(evalset: EvaluationSet, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The samples most like copies: rows of G, of T and of H, (count,) each.

    Ordered by the ratio of the distance to the nearest of T and that to the nearest of H.
    """
    to_train, train = likest_train(evalset.samples, evalset)
    to_held, held = _nearest_held(evalset)
    ratio = to_train[:, 0] / to_held[:, 0].clamp(min=1e-12)
    rows = ratio.argsort(stable=True)[:count]
    return rows, train[rows, 0], held[rows, 0]


def _two_nearest_real(evalset: EvaluationSet) -> tuple[Tensor, Tensor]:
    """Distances of samples to their two nearest of T and H, (n, 2), and which is the nearest, (n,).

    Rows of T come first, then those of H; where both lie equally near, all of T and H are searched
    again in random order, so that T is not preferred.
    """
    t = len(evalset.train)
    to_train, in_train = likest_train(evalset.samples, evalset)
    to_held, in_held = _nearest_held(evalset)
    if (to_train[:, 0] == to_held[:, 0]).any():
        real = [
            torch.cat(pair)
            for pair in zip(views(evalset.train), views(evalset.heldout), strict=True)
        ]
        order = torch.randperm(len(real[0]), generator=evalset.generator())
        shuffled = [view[order] for view in real]
        distance, index = nearest_alike(
            views(evalset.samples), shuffled, 2, likeness(evalset).scales
        )
        return distance, order[index[:, 0]]
    distance, order = torch.cat([to_train, to_held], 1).sort(1)  # (n, 4)
    return distance[:, :2], torch.cat([in_train, t + in_held], 1).gather(1, order)[:, 0]


def _nearest_held(evalset: EvaluationSet) -> Neighbours:
    """Of each sample, as ``likest_train``."""
    pairs = zip(views(evalset.samples), views(evalset.heldout), strict=True)
    return least([_two_nearest(a, b) for a, b in pairs], likeness(evalset).scales)


def _two_nearest(points: Tensor, other: Tensor) -> Neighbours:
    """Distances to and rows of the two nearest of ``other``, (n, 2) each."""
    distances, rows = nearest(points, other, min(2, len(other)))  # (n, 2), or (n, 1) of one
    if len(other) > 1:
        return distances, rows
    return torch.nn.functional.pad(distances, (0, 1), value=math.inf), rows.expand(-1, 2)
