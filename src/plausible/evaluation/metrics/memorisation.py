"""Did the generator learn the distribution, or its training examples by heart?

Distances here are between raw points, never in features that were fitted to the training part: there
everything would lie closer to it.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from plausible.core.errors import NotDefined
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.measure import Measure, metric
from plausible.evaluation.metrics.neighbours import nearest
from plausible.evaluation.permutation import GroupLabels, p_value

_CHANCE = 1 / 500  # share of real examples that a threshold may take for a copy or an outlier
_CLOSEST = 0.5  # a copy is at most this times as far from T as from H
_BALL = 24  # neighbours looked at around a suspect
_ROWS = 5000  # training examples that say how far apart training examples are
_DRAWS = 1999


def nearest_within_train(train: Embedded, generator: torch.Generator) -> Tensor:
    """Distances of training examples to their nearest and second nearest other one, (r, 2).

    Of at most 5,000 examples drawn at random, to all of T.
    """
    if len(train) < 3:
        raise NotDefined(
            f"{len(train)} training examples are too few to say how far apart they are"
        )
    rows = torch.randperm(len(train), generator=generator)[:_ROWS]
    return nearest(train.raw[rows], train.raw, 3)[0][:, 1:]  # itself is the first


def nearest_train(points: Embedded, train: Embedded) -> tuple[Tensor, Tensor]:
    """Distances of each point to its two nearest training examples, and their rows, (n, 2) each.

    With a single training example the second is at infinity.
    """
    return points.nearest_train if points.nearest_train is not None else _two_nearest(points, train)


def with_train_distances(evalset: EvaluationSet) -> EvaluationSet:
    """The same set with every distance to the training part measured once for all that ask."""
    train = evalset.train
    samples, heldout = (
        replace(points, nearest_train=nearest_train(points, train))
        for points in (evalset.samples, evalset.heldout)
    )
    within = nearest_within_train(train, evalset.generator()) if len(train) > 2 else None
    return replace(evalset, samples=samples, heldout=heldout, nearest_within_train=within)


def intrinsic_dimension(distances: Tensor) -> float:
    """m = 1 / mean log(d2 / d1), the intrinsic dimension, at least 1: (n, 2) -> number.

    Source: Levina and Bickel 2004, https://papers.nips.cc/paper/2577 (with two neighbours).
    """
    positive = distances[distances[:, 0] > 0].double()
    mean = (positive[:, 1] / positive[:, 0]).log().mean().item() if len(positive) else 0.0
    return max(1 / mean, 1.0) if mean > 0 else 1.0


def copy_statistic(evalset: EvaluationSet) -> tuple[Callable[[GroupLabels], Tensor], float]:
    """P_G(r < rho) - P_H(r < rho) as a function of the labels, and P_H(r < rho) as they are.

    r is the distance of a point to T over its distance to the nearest other point of H; a copy has
    r near 0.  rho is chosen by T alone: one half, or less where points are so dense (in the
    intrinsic dimension of T) that more than 1 real example in 500 would be taken for a copy.
    The statistic is a function of the labels alone, up to balls that 24 others share: of those no
    shuffle keeps H out but with probability 2^-24, and they count only as they really are.
    Shuffling G with H keeps its power however large T is; shuffling T with H, as ``memorisation``
    does, loses it when T is much larger than H, because a copied example is then likely to be one
    of T by chance.
    """
    samples, heldout = evalset.samples.raw, evalset.heldout.raw
    points = torch.cat([samples, heldout])  # (N, p)
    n, size = len(samples), len(evalset.train)
    m = intrinsic_dimension(_within_train(evalset))
    rho = min(_CLOSEST, (_CHANCE / (1 - _CHANCE) * n / size) ** (1 / m))
    radius = _to_train(evalset) / rho  # (N,)
    others = nearest(heldout, heldout, 1, exclude_self=True)[0][:, 0]
    alone = torch.cat([nearest(samples, heldout, 1)[0][:, 0], others]) > radius  # r < rho as it is
    distance, index = nearest(points, points, min(_BALL, len(points) - 1), exclude_self=True)
    inside = distance <= radius[:, None]  # (N, k)
    # Of a ball with 24 others no shuffle keeps all of H out; then only what is true now counts.
    suspects = (~inside.all(1) | alone).nonzero()[:, 0]
    inside, index = inside[suspects], index[suspects]  # (S, k)

    def statistic(labels: GroupLabels) -> Tensor:
        values = []
        for few in _chunks(labels, index.numel()):
            heldout_inside = ~few.is_sample[:, index] & inside  # (B, S, k): who of H is in the ball
            copied = ~heldout_inside.any(2)  # (B, S)
            g, h = few.g[:, suspects] * copied, few.h[:, suspects] * copied
            values.append(g.sum(1) / few.g.sum(1) - h.sum(1) / few.h.sum(1))
        return torch.cat(values)

    return statistic, alone[n:].float().mean().item()


@metric()
def memorisation(evalset: EvaluationSet) -> list[Measure]:
    """How much nearer samples are to T than to H, and how many nearly repeat an example of T.

    copied fraction   c = (p - pi) / (1 - pi): p the share of samples nearer to T than to H, pi =
                      |T| / (|T| + |H|).  0 is what independent samples give, 1 a generator that only
                      copies.  Its p-value shuffles which points are T and which are H, 1,999 times;
                      its error treats the examples that samples are nearest to as independent.
    near duplicates   the share of samples whose nearest of T and H is at most rho times as far as
                      the second nearest, and lies in T.  Its p-value: if T and H are alike, the
                      number of different examples so repeated that lie in T is hypergeometric,
                      given rho (one half, or less in few dimensions).
    Source: the nearest-neighbour label under exchangeability, as in Meehan et al. 2020,
    https://arxiv.org/abs/2004.05675.
    """
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
    rho = min(_CLOSEST, _CHANCE ** (1 / intrinsic_dimension(_within_train(evalset))))
    near = distance[:, 0] < rho * distance[:, 1]
    repeated, copied = index[near].unique(), (index[near] < t).sum().item() / n
    in_t = int((repeated < t).sum())
    p = float(stats.hypergeom.sf(in_t - 1, t + h, t, len(repeated)))
    return [
        Measure(
            "copied fraction", (share - pi) / (1 - pi), error / (1 - pi),
            p=p_value(share, null), n=n, direction="like real",
            note=f"{share:.1%} of the samples are nearer to training data, {pi:.1%} expected",
        ),
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
    to_train, train = nearest_train(evalset.samples, evalset.train)
    to_held, held = nearest(evalset.samples.raw, evalset.heldout.raw, 1)
    ratio = to_train[:, 0] / to_held[:, 0].clamp(min=1e-12)
    rows = ratio.argsort(stable=True)[:count]
    return rows, train[rows, 0], held[rows, 0]


def _two_nearest_real(evalset: EvaluationSet) -> tuple[Tensor, Tensor]:
    """Distances of samples to their two nearest of T and H, (n, 2), and which is the nearest, (n,).

    Rows of T come first, then those of H; where both lie equally near, all of T and H are searched
    again in random order, so that T is not preferred.
    """
    t = len(evalset.train)
    to_train, in_train = nearest_train(evalset.samples, evalset.train)
    to_held, in_held = _two_nearest(evalset.samples, evalset.heldout)
    if (to_train[:, 0] == to_held[:, 0]).any():
        real = torch.cat([evalset.train.raw, evalset.heldout.raw])
        order = torch.randperm(len(real), generator=evalset.generator())
        distance, index = nearest(evalset.samples.raw, real[order], 2)
        return distance, order[index[:, 0]]
    distance, order = torch.cat([to_train, to_held], 1).sort(1)  # (n, 4)
    return distance[:, :2], torch.cat([in_train, t + in_held], 1).gather(1, order)[:, 0]


def _two_nearest(points: Embedded, other: Embedded) -> tuple[Tensor, Tensor]:
    """Distances to and rows of the two nearest points of ``other``, (n, 2) each."""
    distances, rows = nearest(points.raw, other.raw, min(2, len(other)))  # (n, 2), or (n, 1) of one
    if len(other) > 1:
        return distances, rows
    return torch.nn.functional.pad(distances, (0, 1), value=math.inf), rows.expand(-1, 2)


def _within_train(evalset: EvaluationSet) -> Tensor:
    if evalset.nearest_within_train is not None:
        return evalset.nearest_within_train
    return nearest_within_train(evalset.train, evalset.generator())


def _to_train(evalset: EvaluationSet) -> Tensor:
    """Distance of each of G and H to its nearest training example, (2n,)."""
    return torch.cat(
        [nearest_train(v, evalset.train)[0][:, 0] for v in (evalset.samples, evalset.heldout)]
    )


def _chunks(labels: GroupLabels, each: int) -> list[GroupLabels]:
    step = max(1, 2**25 // max(each, 1))
    return [labels[slice(i, i + step)] for i in range(0, len(labels), step)]
