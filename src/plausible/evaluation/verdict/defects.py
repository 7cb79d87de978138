"""The ways in which samples can be wrong, each with the one test that owns it."""

import math
from dataclasses import replace

import numpy as np
import torch
from scipy import stats
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, one_hot

from plausible.core.errors import NotDefined
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.metrics.memorisation import copying
from plausible.evaluation.metrics.neighbours import nearest, nearest_other
from plausible.evaluation.metrics.sharpness import log_contrast
from plausible.evaluation.metrics.two_sample import neighbour_accuracy
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.verdict.defect import (
    NullSummary,
    PreparedTest,
    defect,
    excess,
    rate,
    shift,
)

_FEWEST = 8  # of each side in a mode before its spread is compared
_UNSEEN = 0.05  # share of real data in modes that are not looked into, at most
_RIDGE = 0.3  # of the mean eigenvalue, added before whitening
_NOISE = 0.02  # the same where noise shall stand out
_CHANCE = 1 / 500  # share of training examples that count as outliers
_BEYOND = 1.3  # times as far off as those
_QUANTILE, _NEAR, _SPREAD = 5000, 20_000, 10_000  # training examples looked at, at most
_NUMBERS = 1024  # that describe one image where its spread is measured
_CUT = 0.03  # log distances are cut at this quantile and its opposite


@defect(
    "missing modes",
    0.05,
    "{effect} of the real data lie in modes that the samples (nearly) never reach",
    "no modes that hold {margin} of the real data are missing",
    read=lambda mass: mass.clamp(min=0),
)
def missing_modes(evalset: EvaluationSet) -> PreparedTest:
    """sum_k max(0, p_k - 2 q_k): real mass p of modes whose share q among samples is under a half.

    A mode without any sample counts with its whole mass; shares above one half of the real ones
    count nothing, so unevenness alone does not.  What chance adds in small modes is taken off.
    """
    modes, n = _pooled_modes(evalset), len(evalset.samples)  # (N, K)
    # what chance gives when half of the c points of a mode are samples, on average
    by_chance = 0.0
    for c in modes.sum(0).int().tolist():
        h = np.arange(c + 1)
        by_chance += float((stats.binom.pmf(h, c, 0.5) * np.clip(3 * h - 2 * c, 0, None)).sum()) / n

    def statistic(labels: GroupLabels) -> Tensor:
        g, h = _shares(labels, modes)
        return (h - 2 * g).clamp(min=0).sum(1) - by_chance

    def detectable(null: NullSummary) -> float:
        # One absent mode with c real examples and no sample: any split is as lopsided with
        # probability 2^-c, for each of K modes.
        count = math.log2(modes.shape[1] / null.alpha)
        mean = float(stats.chi2.ppf(null.power, 2 * math.ceil(count))) / 2  # of a Poisson count
        return max(mean / null.n, null.critical * math.sqrt(null.size / null.n))

    return PreparedTest(statistic, detectable)


@defect(
    "uneven modes",
    0.4,
    "the shares of the modes are off by {effect} (root mean square, relative)",
    "shares of modes are not off by {margin} (root mean square, relative)",
    read=lambda w: w.clamp(min=0),
)
def uneven_modes(evalset: EvaluationSet) -> PreparedTest:
    """w, w^2 = sum_k (q_k - p_k)^2 / ((p_k + q_k) / 2), without the part that chance adds.

    w^2 = 2 (X^2 - df) / n, X^2 the two-sample chi-square statistic; its sign is kept, so that the
    estimate is unbiased at 0.  Source: Cohen 1988, Statistical Power ConvEncoder, chapter 7.
    """
    modes, n = _pooled_modes(evalset), len(evalset.samples)
    modes = modes[:, modes.sum(0) > 0]
    freedom = modes.shape[1] - 1
    if freedom < 1:
        raise NotDefined("all examples lie in one mode, so no shares can be compared")

    def statistic(labels: GroupLabels) -> Tensor:
        g, h = _shares(labels, modes)
        chi = n * ((g - h).square() / (g + h).clamp(min=1e-9)).sum(1)  # (B, K) -> (B,)
        square = 2 * (chi - freedom) / n
        return square.sign() * square.abs().sqrt()

    def detectable(null: NullSummary) -> float:
        critical = float(stats.chi2.isf(null.alpha, freedom))
        low, high = 0.0, 1e4  # of the noncentrality n w^2 / 2
        for _ in range(60):
            middle = (low + high) / 2
            found = float(stats.ncx2.sf(critical, freedom, middle)) >= null.power
            low, high = (low, middle) if found else (middle, high)
        return math.sqrt(2 * high / null.n)

    return PreparedTest(statistic, detectable)


@defect(
    "too narrow",
    0.04,
    "samples keep {effect} closer to the middle of their mode than real data do",
    "samples do not huddle in the middle of their modes by {margin}",
    read=lambda gap: -torch.expm1(gap),
)
@defect(
    "too wide",
    0.04,
    "samples stray {effect} farther from the middle of their mode than real data do",
    "samples do not stray from the middle of their modes by {margin}",
    read=torch.expm1,
)
def spread(evalset: EvaluationSet) -> PreparedTest:
    """mean_G s - mean_H s, s the log distance of a point to the centre of its mode.

    Its effect is the change of that distance, 1 - exp(.) where it shrinks and exp(.) - 1 where it
    grows.
    """
    scores, modes = _log_distances(evalset), _pooled_modes(evalset)
    return PreparedTest(
        lambda labels: _stratified(labels, scores, modes), lambda null: math.expm1(shift(null))
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
        return math.inf if unseen > _UNSEEN else excess(null)

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


@defect(
    "copies",
    0.03,
    "{effect} of the samples are near copies of training examples",
    "at most {margin} of the samples are near copies of training examples",
)
def copies(evalset: EvaluationSet) -> PreparedTest:
    """P_G(r < rho) - P_H(r < rho), r = distance to T / distance to the nearest other one in H."""
    statistic, usual = copying(evalset)
    return PreparedTest(statistic, lambda null: rate(null, usual))


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
    rows = torch.randperm(len(evalset.train), generator=evalset.generator())[:_NEAR]
    train = evalset.train.raw[rows]
    if len(train) < 3:
        raise NotDefined(
            f"{len(train)} training examples are too few to say how far apart they are"
        )
    white = _whitening(train - train.mean(0), _NOISE)
    train = train @ white
    points = torch.cat([evalset.samples.raw, evalset.heldout.raw]) @ white
    # the nearest of its own kind is itself, so the second counts
    limit = _BEYOND * nearest(train[:_QUANTILE], train, 2)[0][:, 1].quantile(1 - _CHANCE)
    outside = (nearest(points, train, 1)[0][:, 0] > limit).float()  # (N,)
    usual = float(outside[len(evalset.samples) :].mean())
    return PreparedTest(lambda labels: labels.difference(outside), lambda null: rate(null, usual))


@defect(
    "blur or noise",
    0.15,
    "the contrast between neighbouring pixels is off by {effect}",
    "the contrast between neighbouring pixels is not off by {margin}",
    read=lambda gap: torch.expm1(gap).abs(),
)
def blur(evalset: EvaluationSet) -> PreparedTest:
    """(mean_G s - mean_H s) / 2, s the log variance of an image's Laplacian; two-sided.

    Its effect is the change of the contrast, |exp(.) - 1|.
    """
    scores = log_contrast(evalset).float()  # (N,)

    def detectable(null: NullSummary) -> float:
        return math.expm1(shift(replace(null, alpha=null.alpha / 2)))

    return PreparedTest(lambda labels: labels.difference(scores) / 2, detectable)


@defect(
    "anything else",
    0.1,
    "the nearest neighbour tells samples from real data with an accuracy of 50% + {effect}",
    "the nearest neighbour does not tell samples from real data by {margin} over 50%",
)
def anything_else(evalset: EvaluationSet) -> PreparedTest:
    """Accuracy of the leave-one-out nearest neighbour classifier of G against H, minus one half."""
    points = torch.cat([evalset.samples.features, evalset.heldout.features])
    after = nearest_other(points, evalset.generator())  # (N,)
    return PreparedTest(lambda labels: neighbour_accuracy(after, labels) - 0.5, excess)


def _pooled_modes(evalset: EvaluationSet) -> Tensor:
    """(N, K) float32: 1 where a point of G or H lies in a mode."""
    modes = torch.cat([evalset.samples.modes, evalset.heldout.modes])
    return one_hot(modes, len(evalset.names)).float()


def _shares(labels: GroupLabels, modes: Tensor) -> tuple[Tensor, Tensor]:
    """The share of each mode among samples and among held-out examples, (B, K) each."""
    g, h = labels.g @ modes, labels.h @ modes
    return g / g.sum(1, keepdim=True), h / h.sum(1, keepdim=True)


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
    some = torch.randperm(len(evalset.train), generator=evalset.generator())[:_SPREAD]
    train = _fine(evalset.train, some)
    points = torch.cat([_fine(evalset.samples), _fine(evalset.heldout), train])  # (N + T, p)
    modes = torch.cat([evalset.samples.modes, evalset.heldout.modes, evalset.train.modes[some]])
    count = torch.bincount(modes, minlength=len(evalset.names))[:, None]  # (K, 1)
    total = torch.zeros(len(count), points.shape[1]).index_add_(0, modes, points)
    rest = points - (total / count.clamp(min=1))[modes]
    scores = (rest @ _whitening(rest, _RIDGE)).square().sum(1).clamp(min=1e-20).log() / 2
    ordered = scores.sort().values
    low, high = (ordered[int(q * (len(ordered) - 1))] for q in (_CUT, 1 - _CUT))
    return scores[: 2 * len(evalset.samples)].clamp(low, high)


def _fine(view: Embedded, rows: Tensor | None = None) -> Tensor:
    """Pixels, shrunk to 1,024 numbers at most, or standardised coordinates: (n, p)."""
    space = view.part.space
    rows = torch.arange(len(view)) if rows is None else rows
    if not space.is_image:
        return view.raw[rows]
    side = math.isqrt(_NUMBERS // space.shape[0])
    size = (min(space.shape[1], side), min(space.shape[2], side))
    return torch.cat(
        [adaptive_avg_pool2d(view.part.batch(few).x, size).flatten(1) for few in rows.split(1024)]
    )


def _whitening(rest: Tensor, ridge: float) -> Tensor:
    """(C + r tr(C) / p)^(-1/2), C the covariance of centred rows (n, p): (p, p), by its eigenvectors.

    Raises ``NotDefined`` where nothing varies.
    """
    values, vectors = torch.linalg.eigh((rest.T @ rest / len(rest)).double())  # (p,), (p, p)
    if values.mean() <= 1e-12:
        raise NotDefined(
            "the examples of each mode are all the same, so there is no spread to compare"
        )
    return (vectors / (values.clamp(min=0) + ridge * values.mean()).sqrt()).float()


def _variance(weights: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Total variance of x (n, p) under weights (B, n), and where there are too few: (B,) each."""
    total = weights.sum(1)
    mean = weights @ x / total.clamp(min=1)[:, None]  # (B, p)
    square = weights @ x.square().sum(1) / total.clamp(min=1)
    spread = (square - mean.square().sum(1)).clamp(min=0) * total / (total - 1).clamp(min=1)
    return spread, total < _FEWEST
