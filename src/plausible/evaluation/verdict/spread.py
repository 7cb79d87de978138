"""Do the samples spread within their modes as real data do?"""

import math

import torch
from torch import Generator, Tensor

from plausible.core.errors import NotDefined
from plausible.data.part import Part
from plausible.data.split import merge_parts
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.shape_bins import FINE
from plausible.evaluation.shapes import shapes
from plausible.evaluation.verdict.defect import (
    NullSummary,
    PreparedTest,
    defect,
    detectable_excess,
    detectable_shift,
)
from plausible.evaluation.verdict.modes import partitions, pooled_modes
from plausible.evaluation.verdict.planting import (
    Planted,
    groups,
    in_groups,
    left_out,
    with_x,
)
from plausible.evaluation.whitening import whitening

_FEWEST = 8  # of each side in a mode before its spread is compared
_UNSEEN = 0.05  # share of real data in modes that are not looked into, at most
_RIDGE = 0.3  # of the mean eigenvalue, added before whitening
_TRAIN = 10_000  # training examples looked at, at most
_CUT = 0.03  # log distances are cut at this quantile and its opposite


def drawn_in(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """Points are left out so that those that stay are this much nearer to the middle of their group."""
    return left_out(points, _by_distance(points, train, math.log(1 - effect), generator))


def drawn_out(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """The same, and those that stay are this much farther."""
    return left_out(points, _by_distance(points, train, math.log(1 + effect), generator))


def _by_distance(points: Part, train: Part, shift: float, generator: Generator) -> Tensor:
    """Chances exp(a s) that move the mean of s, the log distance to the middle of a group, by ``shift``: (1, N).

    Nothing else than the choice of points changes, so that neither rounding nor a border interferes.
    """
    few = train.rows(torch.randperm(len(train), generator=generator)[:_TRAIN])
    mine, theirs = groups(merge_parts(points, few), train, generator)[0].split(
        [len(points), len(few)]
    )
    known, asked = shapes(few), shapes(points)
    count = int(max(mine.max(), theirs.max())) + 1
    middles = known.new_zeros(count, known.shape[1]).index_add_(0, theirs, known)
    middles /= torch.bincount(theirs, minlength=count).clamp(min=1)[:, None]
    scale = known.std(0, correction=0).clamp(min=1e-6) if not points.space.is_image else 1.0
    white = whitening((known - middles[theirs]) / scale, _RIDGE)
    s = ((asked - middles[mine]) / scale @ white).norm(dim=1).clamp(min=1e-10).log()  # (N,)
    sums = torch.zeros(count).index_add_(0, mine, s)
    s = s - (sums / torch.bincount(mine, minlength=count).clamp(min=1))[mine]  # within its group
    s = s.clamp(s.quantile(_CUT), s.quantile(1 - _CUT))
    slope = shift / s.var().clamp(min=1e-12)  # exact for a normal s, and nearly for others
    chance = (slope * s).exp()
    return (chance / chance.max())[None]


def one_group_drawn_in(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """One group has this much less deviation."""
    mine, means = groups(points, train, generator)
    centre = means[mine]  # (N, *shape)
    return in_groups(with_x(points, centre + (1 - effect) * (points.as_batch().x - centre)), mine)


@defect(
    "too narrow",
    0.06,
    "samples keep {effect} closer to the middle of their mode than real data do",
    "samples do not huddle in the middle of their modes by {margin}",
    effect=lambda gap: -torch.expm1(gap),
    plant=drawn_in,
)
@defect(
    "too wide",
    0.06,
    "samples stray {effect} farther from the middle of their mode than real data do",
    "samples do not stray from the middle of their modes by {margin}",
    effect=torch.expm1,
    plant=drawn_out,
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
    plant=one_group_drawn_in,
)
def one_mode_a_point(evalset: EvaluationSet) -> PreparedTest:
    """max_k 1 - s_k(G) / s_k(H), s_k^2 the variance within mode k about the side's own mean, over all partitions."""
    points = torch.cat([evalset.samples.raw, evalset.heldout.raw])  # (N, p)
    held = len(evalset.samples)
    all_groups = [
        (modes == k).nonzero()[:, 0] for modes in partitions(evalset) for k in modes.unique()
    ]
    all_groups = [rows for rows in all_groups if len(rows) >= 2 * _FEWEST]
    if not all_groups:
        raise NotDefined(f"no mode has {2 * _FEWEST} examples, so none can be seen to collapse")
    members = [points[rows] - points[rows].mean(0) for rows in all_groups]
    if max(float(x.abs().max()) for x in members) <= 0:
        raise NotDefined("the examples within each mode are all the same, so none can collapse")
    modes = partitions(evalset)[0][held:]
    real = torch.bincount(modes) / len(evalset.heldout)

    def detectable(null: NullSummary) -> float:
        unseen = real[real * null.n < _FEWEST].sum()  # in modes too small to be looked into
        return math.inf if unseen > _UNSEEN else detectable_excess(null)

    def statistic(labels: GroupLabels) -> Tensor:
        worst = torch.zeros(len(labels))
        for rows, x in zip(all_groups, members, strict=True):
            g, few_g = _variance(labels.g[:, rows], x)
            h, few_h = _variance(labels.h[:, rows], x)
            fair = ~few_g & ~few_h & (h > 0)
            ratio = torch.where(fair, (g / h.clamp(min=1e-20)).sqrt(), 1.0)
            worst = torch.maximum(worst, 1 - ratio)
        return worst

    def averaged(n: int) -> float:
        return n / min(max(n // FINE[0], 2), FINE[1])  # more examples are more modes at first

    return PreparedTest(statistic, detectable, averaged)


def _stratified(labels: GroupLabels, scores: Tensor, modes: Tensor) -> Tensor:
    """The mean difference of scores (N,) within modes (N, K), so that shares play no part: (B,)."""
    g, h = labels.g @ modes, labels.h @ modes  # (B, K)
    totals = scores[:, None] * modes
    gap = labels.g @ totals / g.clamp(min=1) - labels.h @ totals / h.clamp(min=1)
    weight = g * h / (g + h).clamp(min=1)
    return (weight * gap).sum(1) / weight.sum(1).clamp(min=1e-9)


def _log_distances(evalset: EvaluationSet) -> Tensor:
    """log |x - c_k| of each of G and H, c_k the centre of its mode: (N,) float32.

    Of images at 8 x 8 pixels without their brightness and contrast, which are no diversity.  Whitened by the
    covariance within modes, which makes far fewer examples suffice, and cut at the 3% and 97% quantiles, so that
    a little garbage or one point do not decide.  Centres, covariance and quantiles are those of G, H and 10,000 of T
    together, which no shuffling of G with H changes.
    """
    rows = torch.randperm(len(evalset.train), generator=evalset.generator())[:_TRAIN]
    parts = evalset.samples, evalset.heldout, evalset.train[rows]
    seen = [shapes(side.part) if evalset.space.is_image else side.raw for side in parts]
    points = torch.cat(seen)  # (N + T, p)
    modes = torch.cat([evalset.samples.modes, evalset.heldout.modes, evalset.train.modes[rows]])
    count = torch.bincount(modes, minlength=len(evalset.names))[:, None]  # (K, 1)
    total = torch.zeros(len(count), points.shape[1]).index_add_(0, modes, points)
    rest = points - (total / count.clamp(min=1))[modes]
    scores = (rest @ whitening(rest, _RIDGE)).square().sum(1).clamp(min=1e-20).log() / 2
    ordered = scores.sort().values
    low, high = (ordered[int(q * (len(ordered) - 1))] for q in (_CUT, 1 - _CUT))
    return scores[: len(evalset.samples) + len(evalset.heldout)].clamp(low, high)


def _variance(weights: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Total variance of x (n, p) under weights (B, n), and where there are too few: (B,) each."""
    total = weights.sum(1)
    mean = weights @ x / total.clamp(min=1)[:, None]  # (B, p)
    square = weights @ x.square().sum(1) / total.clamp(min=1)
    variance = (square - mean.square().sum(1)).clamp(min=0) * total / (total - 1).clamp(min=1)
    return variance, total < _FEWEST
