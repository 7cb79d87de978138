"""Distances between two sets of feature vectors."""

import math

import torch
from torch import Tensor

from plausible.core.errors import NotDefined
from plausible.core.likelihood import Kind
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.measure import Measure, metric

_BLOCKS = 20  # of the jackknife
_SIZES = 8  # set sizes from which a distance is extrapolated
_ROWS = 1000  # rows of a kernel matrix held at once


def frechet(a: Tensor, b: Tensor) -> float:
    """|m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)): between Gaussians fitted to two sets.

    a (n, d), b (m, d) features; computed in float64; S is the unbiased covariance.
    tr (S_a S_b)^(1/2) is the nuclear norm of A B^T / sqrt((n - 1)(m - 1)) for the centred rows A, B,
    taken directly when there are fewer rows than dimensions, and otherwise from the eigenvalues of
    the symmetric S_a^(1/2) S_b S_a^(1/2); a general matrix square root is unstable here.
    Biased upwards by (1/n + 1/m) (tr S + sum_ij l_i l_j (1 + [i = j]) / (l_i + l_j) / 2) to first
    order, l the eigenvalues of S: about d / 4 times tr S in d dimensions.  Compare at equal n and m.
    Raises ``NotDefined`` for fewer than 2 rows or values that are not finite.
    Source: Dowson and Landau 1982; Heusel et al. 2017, https://arxiv.org/abs/1706.08500.
    """
    if min(len(a), len(b)) < 2:
        raise NotDefined(f"a Frechet distance needs at least 2 of each, not {len(a)} and {len(b)}")
    a, b = a.double(), b.double()
    if not (a.isfinite().all() and b.isfinite().all()):
        raise NotDefined("a Frechet distance needs finite features, and some are NaN or infinite")
    mean_a, mean_b = a.mean(0), b.mean(0)  # (n, d) -> (d,)
    rows_a = (a - mean_a) / (len(a) - 1) ** 0.5
    rows_b = (b - mean_b) / (len(b) - 1) ** 0.5
    traces = rows_a.square().sum() + rows_b.square().sum()
    if min(len(a), len(b)) < a.shape[1]:
        cross = torch.linalg.svdvals(rows_a @ rows_b.T).sum()  # (n, m) -> ()
    else:
        cross = trace_of_root(rows_a.T @ rows_a, rows_b.T @ rows_b)
    distance = (mean_a - mean_b).square().sum() + traces - 2 * cross
    return max(distance.item(), 0.0)


def trace_of_root(a: Tensor, b: Tensor) -> Tensor:
    """tr (S_a S_b)^(1/2) of two covariances (d, d), by the eigenvalues of S_a^(1/2) S_b S_a^(1/2)."""
    values, vectors = torch.linalg.eigh(a)  # (d,), (d, d)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T  # (d, d)
    inner = torch.linalg.eigvalsh(root @ b @ root)  # (d,)
    return inner.clamp(min=0).sqrt().sum()


def frechet_limit(a: Tensor, b: Tensor, generator: torch.Generator) -> tuple[float, float]:
    """The Frechet distance at infinite n and m, with a standard error.

    The bias is c_a / n + c_b / m to first order.  Random halves, thirds and so on of both sets,
    taken at the same share of each, lie on a line in 1 / share whose value at 0 is the limit;
    several disjoint subsets of each size are averaged.  The error is the jackknife's over 20 blocks.
    Raises ``NotDefined`` for fewer than 40 rows on a side, or fewer than 3 d.
    Source: extrapolation in 1 / n, Chong and Forsyth 2020, https://arxiv.org/abs/1911.07023; here
    both sides are extrapolated, because both are finite.
    """
    least, enough = min(len(a), len(b)), max(2 * _BLOCKS, 3 * a.shape[1])
    if least < enough:
        raise NotDefined(
            f"{least} examples a side are too few to extrapolate in {a.shape[1]} dimensions; "
            f"{enough} would do"
        )
    a = a[torch.randperm(len(a), generator=generator)]
    b = b[torch.randperm(len(b), generator=generator)]
    whole = _limit(a, b)
    left_out = [_limit(_without(a, i), _without(b, i)) for i in range(_BLOCKS)]
    variance = torch.tensor(left_out).var(correction=0).item()
    return whole, math.sqrt((_BLOCKS - 1) * variance)


def kernel_distance(a: Tensor, b: Tensor) -> tuple[float, float]:
    """Squared MMD under k(x, y) = (x.y / d + 1)^3, unbiased, with its standard error.

    sum_{i != j} k(a_i, a_j) / (n (n - 1)) + the same of b - 2 sum_ij k(a_i, b_j) / (n m).  It can be
    negative.  The error is the jackknife's over single rows, exact sums, no subsets; what is often
    quoted, the spread over subsets, is not a standard error.
    Raises ``NotDefined`` for fewer than 3 rows.
    Source: Binkowski et al. 2018, https://arxiv.org/abs/1801.01401; Gretton et al. 2012.
    """
    n, m = len(a), len(b)
    if min(n, m) < 3:
        raise NotDefined(f"a kernel distance needs at least 3 of each, not {n} and {m}")
    within_a, within_b, across, back = _rows(a, a), _rows(b, b), _rows(a, b), _rows(b, a)
    own_a = (a.double().square().mean(1) + 1) ** 3  # k(x, x), (n,)
    own_b = (b.double().square().mean(1) + 1) ** 3
    within_a, within_b = within_a - own_a, within_b - own_b
    total_a, total_b, total = within_a.sum(), within_b.sum(), across.sum()
    value = total_a / (n * (n - 1)) + total_b / (m * (m - 1)) - 2 * total / (n * m)
    # the same statistic without row i, for every i at once
    less_a = (
        (total_a - 2 * within_a) / ((n - 1) * (n - 2))
        + total_b / (m * (m - 1))
        - 2 * (total - across) / ((n - 1) * m)
    )
    less_b = (
        total_a / (n * (n - 1))
        + (total_b - 2 * within_b) / ((m - 1) * (m - 2))
        - 2 * (total - back) / (n * (m - 1))
    )
    variance = sum((len(v) - 1) * v.var(correction=0) for v in (less_a, less_b))
    return value.item(), math.sqrt(float(variance))


@metric()
def frechet_distance(evalset: EvaluationSet) -> list[Measure]:
    """The Frechet distance at this n, and extrapolated to infinitely many examples on both sides."""
    made, real = evalset.samples.features, evalset.heldout.features
    n = len(made)
    at_n = Measure(
        "Frechet distance",
        frechet(made, real),
        n=n,
        kind=Kind.UPPER,
        note="biased upwards at finite n: compare at this n only",
    )
    try:
        value, error = frechet_limit(made, real, evalset.generator())
        limit = Measure(
            "Frechet, n -> infinity", value, error, n=n, note="may fall below 0 by chance"
        )
    except NotDefined as reason:
        limit = Measure("Frechet, n -> infinity", None, n=n, note=str(reason))
    return [at_n, limit]


@metric()
def kernel_inception_distance(evalset: EvaluationSet) -> Measure:
    """The unbiased kernel distance (KID) in the set's features, each scaled by its deviation in T.

    Without that scale the cube of a feature in large units would drown all others.
    """
    if len(evalset.train) < 2:
        raise NotDefined("one training example has no deviation to scale features by")
    scale = evalset.train.features.std(0)
    scale = torch.where(scale > 1e-6 * scale.max(), scale, scale.max().clamp(min=1e-12))
    centre = evalset.train.features.mean(0)
    made, real = ((v.features - centre) / scale for v in (evalset.samples, evalset.heldout))
    value, error = kernel_distance(made, real)
    return Measure("kernel distance (KID)", value, error, n=len(made))


def _rows(a: Tensor, b: Tensor) -> Tensor:
    """sum_j k(a_i, b_j) for each i, (n,) float64, a block of rows at a time."""
    b = b.double()
    dims = a.shape[1]
    return torch.cat([((few.double() @ b.T) / dims + 1).pow(3).sum(1) for few in a.split(_ROWS)])


def _limit(a: Tensor, b: Tensor) -> float:
    """The intercept of the Frechet distance over 1 / share, shares 1, 1/2, ... as far as d allows."""
    largest = max(2, min(_SIZES, min(len(a), len(b)) // (2 * a.shape[1])))
    moments_x, moments_y = [], []
    for parts in range(1, largest + 1):
        # tensor_split: what chunk gives may be fewer pieces, or a last one of a single row
        pieces = zip(a.tensor_split(parts), b.tensor_split(parts), strict=True)
        values = [frechet(x, y) for x, y in pieces]
        moments_x.append(float(parts))
        moments_y.append(sum(values) / len(values))
    x, y = torch.tensor(moments_x).double(), torch.tensor(moments_y).double()
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    return (y.mean() - slope * x.mean()).item()


def _without(rows: Tensor, block: int) -> Tensor:
    """All rows but every 20th, counted from ``block``."""
    return rows[torch.arange(len(rows)) % _BLOCKS != block]
