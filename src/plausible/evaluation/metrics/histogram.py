"""Shares of modes: classes where there are labels, bins of k-means where there are none."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import scipy
import torch
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.distances import squared_distances
from plausible.core.errors import NotDefined
from plausible.core.kmeans import kmeans_plus_plus, lloyd
from plausible.core.likelihood import Kind
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.measure import Measure, metric
from plausible.evaluation.metrics.classification import class_counts, predict

_LEARN = 20_000  # training points that place the bins, at most
_ROUNDS = 50
_STARTS = 4
_LEVEL = 0.05  # level at which one bin is said to differ

Assign = Callable[[Tensor, Tensor], Tensor]


def classifier_modes(classifier: Classifier) -> Assign:
    """(x, features) -> argmax_y p(y | x), (N,): the modes of labelled data."""
    return lambda x, features: predict(classifier, x)


def kmeans_bins(features: Tensor, count: int, generator: torch.Generator) -> tuple[Assign, int]:
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
        centres = lloyd(points, kmeans_plus_plus(points, count, generator), _ROUNDS)
        loss = squared_distances(points, centres, "cdist").min(1).values.sum().item()
        if loss < least:
            best, least = centres, loss

    def assign(x: Tensor, features: Tensor) -> Tensor:
        return squared_distances(features.to(best) - middle, best, "cdist").argmin(1)  # (N,)

    return assign, len(best)


@dataclass(frozen=True)
class ModeShare:
    """How many samples lie in one mode, beside the share of the training part that does."""

    name: str
    samples: int
    share: float
    real: float

    @property
    def ratio(self) -> float:
        """share / real share: 1 is right, 0 is a missing mode."""
        return self.share / self.real if self.real else float(self.share > 0)


def mode_shares(evalset: EvaluationSet) -> list[ModeShare]:
    """The share of every mode, in the order of the set's names."""
    made, real = (
        class_counts(v.modes, len(evalset.names)).tolist() for v in (evalset.samples, evalset.train)
    )
    return [
        ModeShare(name, a, a / len(evalset.samples), b / len(evalset.train))
        for name, a, b in zip(evalset.names, made, real, strict=True)
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
        class_counts(evalset.train.modes, size).double(),
        class_counts(evalset.samples.modes, size).double(),
    )
    p, q = real / real.sum(), drawn / drawn.sum()
    n = int(drawn.sum())
    note = "classes by the classifier" if evalset.labelled else f"{size} bins of k-means"
    if (q[p == 0] > 0).any():
        reverse_kl = Measure(
            "reverse KL",
            None,
            n=n,
            note="infinite: some samples lie in a class without training examples",
        )
    else:
        reverse_kl = _reverse_kl(p, q, n, evalset.seed, note)
    pooled = (real + drawn) / (real.sum() + n)
    error = (pooled * (1 - pooled) * (1 / real.sum() + 1 / n)).sqrt().clamp(min=1e-12)
    apart = ((p - q).abs() / error) > float(scipy.stats.norm.isf(_LEVEL / 2))
    absent = (drawn == 0) & (real > 0)
    return [
        reverse_kl,
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
    if y is None:
        raise NotDefined("the samples carry no labels, so none was asked for")
    if not evalset.labelled:
        raise NotDefined(
            "no classifier knows these classes, so none can say which class a sample is of"
        )
    share = (evalset.samples.modes == y.cpu()).double().mean().item()
    n = len(evalset.samples)
    return Measure(
        "asked class", share, math.sqrt(share * (1 - share) / n), n=n, direction="higher"
    )


def _reverse_kl(p: Tensor, q: Tensor, n: int, seed: int, note: str) -> Measure:
    possible = p > 0
    draws = torch.from_numpy(
        scipy.stats.multinomial.rvs(n, (q / q.sum()).numpy(), 400, random_state=seed)
    )
    redrawn = _divergence(draws[:, possible].double() / n, p[possible])  # (400,)
    value, error = _divergence(q[possible][None], p[possible]).item(), redrawn.std().item()
    return Measure("reverse KL", value, error, n=n, kind=Kind.UPPER, unit="nats", note=note)


def _divergence(q: Tensor, p: Tensor) -> Tensor:
    """sum_k q_k log(q_k / p_k), 0 log 0 = 0: (B, K), (K,) -> (B,)."""
    return torch.special.xlogy(q, q / p).sum(1)
