"""Nearest neighbours, and what they say of two sets: precision, recall, density, coverage."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.core.errors import NotDefined, UsageError
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.jackknife import jackknife_variance
from plausible.evaluation.measure import Direction, Measure, metric

_BLOCK = 2**20  # distances held at once: 8 MB, which stay in reach of the caches
_COLUMNS = 2**14
_SPARE = 8  # candidates beyond k, because the product form may swap neighbours that nearly tie


def distance_blocks(
    a: Tensor,
    b: Tensor,
    side: int = 0,
    entries: int = _BLOCK,
    dtype: torch.dtype = torch.float64,
) -> Iterator[tuple[slice, slice, Tensor]]:
    """(rows of a, rows of b, |a_i - b_j|^2 between them) until all is covered.

    One matrix product, |a|^2 + |b|^2 - 2 a.b, so fast; but what is far smaller than the norms drowns in
    their rounding: equal rows come out as about eps |a|^2 instead of 0.  ``nearest`` measures again where
    it matters.
    entries  of one block at most.  Both sets are moved by the mean of b, which loses less precision.
    side     1 (-1): every entry is at least (at most) its true value, whatever was rounded.
    Raises ``UsageError`` for rows of different lengths, ``NotDefined`` for values that are not finite.
    """
    if a.shape[1:] != b.shape[1:] or a.ndim != 2:
        raise UsageError(f"rows of {tuple(a.shape)} and {tuple(b.shape)} have no distance")
    if not (a.isfinite().all() and b.isfinite().all()):
        raise NotDefined("distances need finite values, and some are NaN or infinite")
    centre = b.mean(0, dtype=torch.float64)  # (m, d) -> (d,)
    margin = side * 2 * (a.shape[1] + 4) * torch.finfo(dtype).eps
    for column in range(0, len(b), _COLUMNS):
        columns = slice(column, min(column + _COLUMNS, len(b)))
        right = _lifted((b[columns] - centre).to(dtype), margin, negated=True).T  # (d + 2, w)
        height = max(entries // right.shape[1], 1)
        for row in range(0, len(a), height):
            rows = slice(row, min(row + height, len(a)))
            left = _lifted((a[rows] - centre).to(dtype), margin)  # (c, d + 2)
            yield rows, columns, (left @ right).clamp_(min=0)


def _lifted(rows: Tensor, margin: float = 0.0, negated: bool = False) -> Tensor:
    """(x, |x|^2, 1) or, negated, (-2 x, 1, |x|^2), whose products are squared distances.

    (n, d) -> (n, d + 2): one matrix product does it all, where adding norms to it would cost as much
    again.  margin s adds s (|a|^2 + |b|^2); rounding stays below |s| = 2 (d + 4) eps.
    """
    norms = (1 + margin) * rows.square().sum(1, keepdim=True)  # (n, d) -> (n, 1)
    one = torch.ones_like(norms)
    return torch.cat([-2 * rows, one, norms] if negated else [rows, norms, one], 1)


def nearest(
    a: Tensor, b: Tensor, k: int, *, exclude_self: bool = False, entries: int = _BLOCK
) -> tuple[Tensor, Tensor]:
    """The k nearest rows of b for each row of a: distances (n, k) ascending, indices (n, k).

    a (n, d), b (m, d); distances in float64 and in the units of the rows.  Candidates, k + 8 of
    them, come from the product form and are measured again as |a - b|, so that equal rows are at
    distance 0 exactly; equal distances stand in the order of their indices.  Products are in the
    type of the rows: only among more than 8 neighbours that they cannot tell apart (float32: squares
    closer than 1e-6 of the norms) may one be passed over.
    exclude_self  a is b, and row i is no neighbour of itself.
    entries       distances held at once.
    Raises ``NotDefined`` when b has fewer than k rows to offer, or values are not finite; ``UsageError``
    for k < 1.
    """
    available = len(b) - int(exclude_self)
    if k < 1:
        raise UsageError(f"at least 1 nearest neighbour must be asked for, not {k}")
    if k > available:
        raise NotDefined(
            f"{k} nearest neighbours were asked for, and there are {max(available, 0)}"
        )
    keep = min(k + _SPARE, available)
    dtype = torch.promote_types(a.dtype, torch.float32)
    best = torch.full((len(a), keep), math.inf, dtype=dtype, device=a.device)
    index = torch.zeros(len(a), keep, dtype=torch.int64, device=a.device)
    for rows, columns, block in distance_blocks(a, b, entries=entries, dtype=dtype):
        if exclude_self:
            start, stop = max(rows.start, columns.start), min(rows.stop, columns.stop)
            own = torch.arange(start, max(start, stop), device=a.device)
            block[own - rows.start, own - columns.start] = math.inf
        new = block.topk(min(keep, block.shape[1]), 1, largest=False, sorted=False)
        if block.shape[1] == len(b):  # nothing to compare them with
            best[rows], index[rows] = new
            continue
        values = torch.cat([best[rows], new.values], 1)  # (c, keep + new)
        places = torch.cat([index[rows], new.indices + columns.start], 1)
        best[rows], order = values.topk(keep, 1, largest=False, sorted=False)
        index[rows] = places.gather(1, order)
    index = index.sort(1).values
    height = max(entries // (keep * max(a.shape[1], 1)), 1)
    exact = [_apart(few, b[j]) for few, j in zip(a.split(height), index.split(height), strict=True)]
    distances, order = torch.cat(exact).sort(stable=True, dim=1)
    return distances[:, :k], index.gather(1, order[:, :k])


def _apart(points: Tensor, others: Tensor) -> Tensor:
    """|a_i - b_ij| in float64, a (n, d), b (n, k, d), which may be written to -> (n, k)."""
    others = others.double()
    others -= points.double()[:, None]  # (n, k, d) - (n, 1, d)
    return torch.linalg.vector_norm(others, dim=2)


def nearest_other(points: Tensor, generator: torch.Generator) -> Tensor:
    """The nearest other row of each row, (n, d) -> (n,), equal distances in random order.

    The order of the rows says who is a sample; were ties to follow it, no test that shuffles who is
    one would be exact.
    """
    order = torch.randperm(len(points), generator=generator)
    after = nearest(points[order], points[order], 1, exclude_self=True)[1][:, 0]
    return torch.empty_like(order).index_copy_(0, order, order[after])


class PRDC(NamedTuple):
    """Precision, recall, density and coverage: shares in [0, 1], density >= 0 and unbounded."""

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(real: Tensor, fake: Tensor, k: int = 5) -> PRDC:
    """How far fakes lie among the reals and reals among the fakes, by balls to the k-th neighbour.

    real (N, d), fake (M, d).  A point's ball reaches up to, and not including, its k-th nearest
    neighbour of its own set.  Precision: share of fakes in a real ball.  Recall: share of reals in a
    fake ball.  Density: real balls around a fake, on average, over k.  Coverage: share of real balls
    that hold a fake.  Computed in float64; a tie up to rounding is a tie, and so lies outside.
    Raises ``NotDefined`` for fewer than k + 1 points in a set.
    Source: Kynkäänniemi et al. 2019, https://arxiv.org/abs/1904.06991 (precision and recall);
    Naeem et al. 2020, https://arxiv.org/abs/2002.09797 (density and coverage).
    """
    return _compared(real, fake, _kth_square(real, k), _kth_square(fake, k), k)


_BLIND = "blind to missing modes: read with recall and coverage"
_ENOUGH = 2000  # points from which standard errors are taken
_TENTHS = 10


@metric()
def neighbourhoods(evalset: EvaluationSet) -> list[Measure]:
    """Precision, recall, density and coverage of the samples' features among the held-out ones.

    k = 5, or fewer where there are fewer points.  Standard errors: a jackknife that leaves out a
    tenth of both sets at a time, so that shared neighbours count, and for shares never below the
    binomial error.  On Gaussians it was too long by 1.1 to 1.9, where averages over points alone
    were too short by 1.1 to 2.6.  Of more than 2,000 points it takes 2,000 and scales by 1 / sqrt n;
    below 20 there is none.  Left out: the bias of all four at finite n, the choice of features and k.
    Raises ``NotDefined`` when every held-out point is repeated so often that no ball has a size.
    """
    real, fake = evalset.heldout.features, evalset.samples.features
    n, m = len(real), len(fake)
    if min(n, m) < 2:
        raise NotDefined(f"neighbourhoods need at least 2 points of each, not {n} and {m}")
    k = min(5, n - 1, m - 1)
    reach = _kth_square(real, k)
    empty = int((reach == 0).sum())
    if empty == n:
        raise NotDefined(
            f"every held-out point is there more than {k} times, so no ball has a size"
        )
    values = _compared(real, fake, reach, _kth_square(fake, k), k)
    errors = _jackknife_errors(real, fake, k, evalset.generator())
    repeats = f"{empty} of {n} balls are empty: their points are repeated" if empty else ""

    def measure(name: str, value: float, error: float, points: int, warning: str = "") -> Measure:
        if name != "density":
            share = (value * points + 2) / (points + 4)  # Agresti and Coull 1998: not 0 at 0 or 1
            error = max(error, math.sqrt(share * (1 - share) / (points + 4)))
        note = "; ".join(filter(None, (warning, repeats)))
        way: Direction = "like real" if name == "density" else "higher"
        stderr = error if min(n, m) >= 2 * _TENTHS else None
        return Measure(name, value, stderr, n=points, direction=way, note=note)

    return [
        measure("precision", values.precision, errors.precision, m, _BLIND),
        measure("recall", values.recall, errors.recall, n),
        measure("density", values.density, errors.density, m, _BLIND),
        measure("coverage", values.coverage, errors.coverage, n),
    ]


def _kth_square(points: Tensor, k: int) -> Tensor:
    """Squared distance to the k-th nearest other point: (N, d) -> (N,)."""
    return nearest(points, points, k, exclude_self=True)[0][:, -1].square()  # (N, k) -> (N,)


def _kth_squares(points: Tensor, tenth: Tensor, k: int) -> list[Tensor]:
    """``_kth_square`` of the points (N, d) without each tenth, (M,) ten times, of neighbours looked for once."""
    near, index = nearest(points, points, min(6 * k, len(points) - 1), exclude_self=True)
    found = []
    for i in range(_TENTHS):
        stays = tenth != i
        ahead = (stays[index[stays]].cumsum(1) < k).sum(
            1
        )  # (M, K) -> (M,): before the k-th that stays
        if (ahead < near.shape[1]).all():
            found.append(near[stays].gather(1, ahead[:, None])[:, 0].square())
        else:
            found.append(_kth_square(points[stays], k))
    return found


def _compared(real: Tensor, fake: Tensor, reach: Tensor, reach_fake: Tensor, k: int) -> PRDC:
    """``prdc`` with the squared radii (N,), (M,) known; every pair is measured once."""
    around = torch.zeros(len(fake), dtype=torch.int32, device=real.device)  # real balls, per fake
    covered, recalled = torch.zeros(2, len(real), dtype=torch.bool, device=real.device)
    for rows, columns, block in distance_blocks(real, fake, side=1):
        within = block < reach[rows, None]  # (c, w)
        around[columns] += within.sum(0, dtype=torch.int32)
        covered[rows] |= within.any(1)
        recalled[rows] |= (block < reach_fake[columns]).any(1)
    averaged = (around > 0, recalled, around.double() / k, covered)
    return PRDC(*(part.double().mean().item() for part in averaged))


def _jackknife_errors(real: Tensor, fake: Tensor, k: int, generator: torch.Generator) -> PRDC:
    """The standard error of each, from leaving out a tenth of both sets at a time; 0 below 20."""
    few = min(len(real), len(fake))
    if few < 2 * _TENTHS:
        return PRDC(0.0, 0.0, 0.0, 0.0)
    drawn = [rows[torch.randperm(len(rows), generator=generator)] for rows in (real, fake)]
    real, fake = (rows[:_ENOUGH] for rows in drawn)
    tenth = [torch.arange(len(rows), device=rows.device) % _TENTHS for rows in (real, fake)]
    reach, reach_fake = _kth_squares(real, tenth[0], k), _kth_squares(fake, tenth[1], k)
    values = torch.tensor(
        [
            _compared(real[tenth[0] != i], fake[tenth[1] != i], reach[i], reach_fake[i], k)
            for i in range(_TENTHS)
        ],
        dtype=torch.float64,
    )  # (10, 4)
    errors = jackknife_variance(values).sqrt()  # (10, 4) -> (4,)
    return PRDC(*(errors * math.sqrt(min(1.0, _ENOUGH / few))).tolist())
