"""Shares of modes: classes where there are labels, bins of k-means where there are none."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy import stats
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.errors import NotDefined
from plausible.core.likelihood import Kind
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.measure import Measure, metric
from plausible.evaluation.metrics.classification import counts, predict

_LEARN = 20_000  # training points that place the bins, at most
_ROUNDS = 50
_STARTS = 4
_DIFFERENT = 0.05  # level at which one bin is said to differ

Assign = Callable[[Tensor, Tensor], Tensor]


def classes(classifier: Classifier) -> Assign:
    """(x, features) -> argmax_y p(y | x), (N,): the modes of labelled data."""
    return lambda x, features: predict(classifier, x)


def bins(features: Tensor, count: int, generator: torch.Generator) -> tuple[Assign, int]:
    """(x, features) -> the nearest of ``count`` centres of k-means on the training part, and how many.

    Fewer where there are fewer different points.

    features (N, d) of the training part.  k-means++ and Lloyd's rounds, the best of 4 starts.
    Sources: Arthur and Vassilvitskii 2007; Richardson and Weiss 2018 (the bins of NDB),
    https://arxiv.org/abs/1805.12462.
    """
    rows = torch.randperm(len(features), generator=generator)[:_LEARN]
    middle = features.mean(0)  # distances lose precision far from 0
    points = features[rows] - middle
    count = max(1, min(count, len(points)))
    best, least = points[:1], math.inf
    for _ in range(_STARTS):
        centres = _lloyd(points, _spread_out(points, count, generator))
        loss = _squares(points, centres).min(1).values.sum().item()
        if loss < least:
            best, least = centres, loss
    return lambda x, seen: _squares(seen.to(best) - middle, best).argmin(1), len(best)


@dataclass(frozen=True)
class Share:
    """How many samples lie in one mode, beside the share of the training part that does."""

    name: str
    samples: int
    share: float
    real: float

    @property
    def ratio(self) -> float:
        """share / real share: 1 is right, 0 is a missing mode."""
        return self.share / self.real if self.real else float(self.share > 0)


def shares(evalset: EvaluationSet) -> list[Share]:
    """The share of every mode, in the order of the evalset's names."""
    seen, real = (
        counts(v.modes, len(evalset.names)).tolist() for v in (evalset.samples, evalset.train)
    )
    return [
        Share(name, a, a / len(evalset.samples), b / len(evalset.train))
        for name, a, b in zip(evalset.names, seen, real, strict=True)
    ]


@metric()
def histogram(evalset: EvaluationSet) -> list[Measure]:
    """The shares q of the modes among samples beside those p of the training part.

    reverse KL    sum_k q_k log(q_k / p_k), in nats; the error is from resampled counts.
    missing mass  the training share of modes without a single sample.
    modes         how many have one.
    NDB/K         the share of modes whose q and p differ at the 5% level, one at a time.
    Sources: Metz et al. 2017, https://arxiv.org/abs/1611.02163; Richardson and Weiss 2018.
    """
    size = len(evalset.names)
    if size < 2:
        raise NotDefined("all training examples lie in one mode, so there are no shares to compare")
    real, drawn = (
        counts(evalset.train.modes, size).double(),
        counts(evalset.samples.modes, size).double(),
    )
    p, q = real / real.sum(), drawn / drawn.sum()
    n = int(drawn.sum())
    known = p > 0
    note = "classes by the classifier" if evalset.labelled else f"{size} bins of k-means"
    if (q[~known] > 0).any():
        lost = Measure(
            "reverse KL",
            None,
            n=n,
            note="infinite: some samples lie in a class without training examples",
        )
    else:
        lost = _reverse_kl(p, q, n, evalset.seed, note)
    pooled = (real + drawn) / (real.sum() + n)
    error = (pooled * (1 - pooled) * (1 / real.sum() + 1 / n)).sqrt().clamp(min=1e-12)
    apart = ((p - q).abs() / error) > float(stats.norm.isf(_DIFFERENT / 2))
    absent = (drawn == 0) & (real > 0)
    return [
        lost,
        Measure("missing mass", float(p[absent].sum()), n=n, kind=Kind.UPPER, note=note),
        Measure(
            "modes",
            float((drawn > 0).sum()),
            n=n,
            kind=Kind.LOWER,
            unit=f"of {size}",
            direction="higher",
        ),
        Measure("NDB/K", float(apart.double().mean()), n=n, direction="like real", note=note),
    ]


@metric()
def asked_class(evalset: EvaluationSet) -> Measure:
    """The share of samples of a conditional model that the classifier takes for the label asked for.

    On real data: the accuracy of that classifier on the held-out part.
    """
    y = evalset.samples.part.y
    if y is None or not evalset.labelled:
        raise NotDefined("the samples carry no labels, so none was asked for")
    share = (evalset.samples.modes == y.cpu()).double().mean().item()
    n = len(evalset.samples)
    return Measure(
        "asked class", share, math.sqrt(share * (1 - share) / n), n=n, direction="higher"
    )


def _reverse_kl(p: Tensor, q: Tensor, n: int, seed: int, note: str) -> Measure:
    known = p > 0
    draws = torch.from_numpy(
        stats.multinomial.rvs(n, (q / q.sum()).numpy(), 400, random_state=seed)
    )
    redrawn = _divergence(draws[:, known].double() / n, p[known])  # (400,)
    value, error = _divergence(q[known][None], p[known]).item(), redrawn.std().item()
    return Measure("reverse KL", value, error, n=n, kind=Kind.UPPER, unit="nats", note=note)


def _divergence(q: Tensor, p: Tensor) -> Tensor:
    """sum_k q_k log(q_k / p_k), 0 log 0 = 0: (B, K), (K,) -> (B,)."""
    return torch.special.xlogy(q, q / p).sum(1)


def _squares(points: Tensor, centres: Tensor) -> Tensor:
    return torch.cdist(points, centres).square()  # (N, d), (K, d) -> (N, K)


def _spread_out(points: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """k-means++: each next centre is a point drawn in proportion to its squared distance."""
    chosen = [int(torch.randint(len(points), (1,), generator=generator))]
    away = _squares(points, points[chosen])[:, 0]
    for _ in range(count - 1):
        if away.sum() <= 0:
            break  # fewer different points than bins
        chosen.append(int(torch.multinomial(away, 1, generator=generator)))
        away = torch.minimum(away, _squares(points, points[chosen[-1:]])[:, 0])
    return points[chosen]


def _lloyd(points: Tensor, centres: Tensor) -> Tensor:
    """Move each centre to the mean of its points until nothing changes, at most 50 times."""
    for _ in range(_ROUNDS):
        mine = _squares(points, centres).argmin(1)
        total = torch.zeros_like(centres).index_add_(0, mine, points)
        number = torch.bincount(mine, minlength=len(centres))[:, None]
        moved = torch.where(number > 0, total / number.clamp(min=1), centres)
        if torch.equal(moved, centres):
            break
        centres = moved
    return centres
