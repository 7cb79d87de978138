"""Do the samples spread within their modes as real data do?"""

import math

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from plausible.core.errors import NotDefined
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.verdict.defect import (
    NullSummary,
    PreparedTest,
    defect,
    detectable_excess,
    detectable_shift,
)
from plausible.evaluation.verdict.modes import pooled_modes
from plausible.evaluation.verdict.whitening import whitening

_FEWEST = 8  # of each side in a mode before its spread is compared
_UNSEEN = 0.05  # share of real data in modes that are not looked into, at most
_RIDGE = 0.3  # of the mean eigenvalue, added before whitening
_TRAIN = 10_000  # training examples looked at, at most
_NUMBERS = 1024  # that describe one image
_CUT = 0.03  # log distances are cut at this quantile and its opposite


@defect(
    "too narrow",
    0.04,
    "samples keep {effect} closer to the middle of their mode than real data do",
    "samples do not huddle in the middle of their modes by {margin}",
    effect=lambda gap: -torch.expm1(gap),
)
@defect(
    "too wide",
    0.04,
    "samples stray {effect} farther from the middle of their mode than real data do",
    "samples do not stray from the middle of their modes by {margin}",
    effect=torch.expm1,
)
def spread_within_modes(evalset: EvaluationSet) -> PreparedTest:
    """mean_G s - mean_H s, s the log distance of a point to the centre of its mode.

    Its effect is the change of that distance, 1 - exp(.) where it shrinks and exp(.) - 1 where it
    grows.
    """
    scores, modes = _log_distances(evalset), pooled_modes(evalset)
    return PreparedTest(
        lambda labels: _stratified(labels, scores, modes),
        lambda null: math.expm1(detectable_shift(null)),
    )


@defect(
    "one mode a point",
    0.5,
    "within one mode the samples vary {effect} less than the real data",
    "within no mode of 8 examples do the samples vary {margin} less than the real data",
)
def one_mode_a_point(evalset: EvaluationSet) -> PreparedTest:
    """max_k 1 - s_k(G) / s_k(H), s_k^2 the variance within mode k about the side's own mean."""
    points = torch.cat([evalset.samples.raw, evalset.heldout.raw])  # (N, p)
    modes = torch.cat([evalset.samples.modes, evalset.heldout.modes])  # (N,)
    groups = [(modes == k).nonzero()[:, 0] for k in range(len(evalset.names))]
    groups = [rows for rows in groups if len(rows) >= 2 * _FEWEST]
    if not groups:
        raise NotDefined(f"no mode has {2 * _FEWEST} examples, so none can be seen to collapse")
    members = [points[rows] - points[rows].mean(0) for rows in groups]
    if max(float(x.abs().max()) for x in members) <= 0:
        raise NotDefined("the examples within each mode are all the same, so none can collapse")
    real = torch.bincount(evalset.heldout.modes, minlength=len(evalset.names)) / len(
        evalset.heldout
    )

    def detectable(null: NullSummary) -> float:
        unseen = real[real * null.n < _FEWEST].sum()  # in modes too small to be looked into
        return math.inf if unseen > _UNSEEN else detectable_excess(null)

    def statistic(labels: GroupLabels) -> Tensor:
        worst = torch.zeros(len(labels))
        for rows, x in zip(groups, members, strict=True):
            g, few_g = _variance(labels.g[:, rows], x)
            h, few_h = _variance(labels.h[:, rows], x)
            fair = ~few_g & ~few_h & (h > 0)
            ratio = torch.where(fair, (g / h.clamp(min=1e-20)).sqrt(), 1.0)
            worst = torch.maximum(worst, 1 - ratio)
        return worst

    return PreparedTest(statistic, detectable)


def _stratified(labels: GroupLabels, scores: Tensor, modes: Tensor) -> Tensor:
    """The mean difference of scores (N,) within modes (N, K), so that shares play no part: (B,)."""
    g, h = labels.g @ modes, labels.h @ modes  # (B, K)
    totals = scores[:, None] * modes
    gap = labels.g @ totals / g.clamp(min=1) - labels.h @ totals / h.clamp(min=1)
    weight = g * h / (g + h).clamp(min=1)
    return (weight * gap).sum(1) / weight.sum(1).clamp(min=1e-9)


def _log_distances(evalset: EvaluationSet) -> Tensor:
    """log |x - c_k| of each of G and H, c_k the centre of its mode: (N,) float32.

    In pixels, shrunk to 1,024 numbers at most, whitened by the covariance within modes, which makes
    far fewer examples suffice, and cut at the 3% and 97% quantiles, so that a little garbage or one
    point do not decide.  Centres, covariance and quantiles are those of G, H and 10,000 of T
    together, which no shuffling of G with H changes.
    """
    rows = torch.randperm(len(evalset.train), generator=evalset.generator())[:_TRAIN]
    train = _few_pixels(evalset.train, rows)
    points = torch.cat(
        [_few_pixels(evalset.samples), _few_pixels(evalset.heldout), train]
    )  # (N + T, p)
    modes = torch.cat([evalset.samples.modes, evalset.heldout.modes, evalset.train.modes[rows]])
    count = torch.bincount(modes, minlength=len(evalset.names))[:, None]  # (K, 1)
    total = torch.zeros(len(count), points.shape[1]).index_add_(0, modes, points)
    rest = points - (total / count.clamp(min=1))[modes]
    scores = (rest @ whitening(rest, _RIDGE)).square().sum(1).clamp(min=1e-20).log() / 2
    ordered = scores.sort().values
    low, high = (ordered[int(q * (len(ordered) - 1))] for q in (_CUT, 1 - _CUT))
    return scores[: 2 * len(evalset.samples)].clamp(low, high)


def _few_pixels(points: Embedded, rows: Tensor | None = None) -> Tensor:
    """Pixels, shrunk to 1,024 numbers at most, or standardised coordinates: (n, p)."""
    space = points.part.space
    rows = torch.arange(len(points)) if rows is None else rows
    if not space.is_image:
        return points.raw[rows]
    side = math.isqrt(_NUMBERS // space.shape[0])
    size = (min(space.shape[1], side), min(space.shape[2], side))
    return torch.cat(
        [adaptive_avg_pool2d(points.part.batch(few).x, size).flatten(1) for few in rows.split(1024)]
    )


def _variance(weights: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Total variance of x (n, p) under weights (B, n), and where there are too few: (B,) each."""
    total = weights.sum(1)
    mean = weights @ x / total.clamp(min=1)[:, None]  # (B, p)
    square = weights @ x.square().sum(1) / total.clamp(min=1)
    variance = (square - mean.square().sum(1)).clamp(min=0) * total / (total - 1).clamp(min=1)
    return variance, total < _FEWEST
