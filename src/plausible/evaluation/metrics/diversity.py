"""How many different things a sampler makes: birthdays, spacing, spectra, repetitions."""

import math
from typing import NamedTuple

import scipy
import torch
from torch import Tensor

from plausible.core.errors import NotDefined, UsageError
from plausible.core.likelihood import Kind
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.jackknife import jackknife_variance, random_blocks
from plausible.evaluation.measure import Measure, metric
from plausible.evaluation.metrics.memorisation import nearest_train
from plausible.evaluation.metrics.neighbours import distance_blocks, nearest

_BLOCKS = 20  # of the jackknife
_SPARE = 8  # neighbours kept, so that one stays when a block goes


class Support(NamedTuple):
    """An effective number of values: None where no pair was seen, and a 95% interval, high <= inf."""

    value: float | None
    low: float
    high: float


def support_size(pairs: int, n: int) -> Support:
    """n (n - 1) / (2 pairs): how many equally likely values give that many equal pairs in n draws.

    Of an uneven distribution it is 1 / sum p^2.  The 95% interval takes the pairs for a Poisson
    count (Garwood 1936), which leaves out that pairs share draws: too narrow when few values take
    nearly all.  Without any pair it is one-sided: at least n (n - 1) / (2 ln 20).
    Source: Arora and Zhang 2017, https://arxiv.org/abs/1706.08224 (the birthday paradox test).
    """
    possible = n * (n - 1) / 2
    if n < 2:
        raise NotDefined(f"equal pairs need at least 2 draws, not {n}")
    if not 0 <= pairs <= possible:
        raise UsageError(f"{n} draws have at most {possible:,.0f} equal pairs, not {pairs}")
    if pairs == 0:
        return Support(None, max(possible / math.log(20), 1.0), math.inf)
    few = float(scipy.stats.chi2.ppf(0.025, 2 * pairs)) / 2
    many = float(scipy.stats.chi2.ppf(0.975, 2 * pairs + 2)) / 2
    return Support(possible / pairs, max(possible / many, 1.0), max(possible / few, 1.0))


def vendi(features: Tensor) -> float:
    """exp(-sum_i l_i log l_i), l the eigenvalues of K / n with K_ij = cos(f_i, f_j): 1 to n.

    features (n, d), computed in float64 through the smaller of K and the d x d matrix of the same
    eigenvalues.  Rows of zeros have no angle: they count as equal to each other and at right angles
    to all else.  n equal rows give 1, k orthogonal groups of equal size k.
    Source: Friedman and Dieng 2023, https://arxiv.org/abs/2210.02410.
    """
    if len(features) < 1 or not features.isfinite().all():
        raise NotDefined(f"a Vendi score needs finite rows, and {len(features)} were given")
    rows = features.double()
    norms = rows.norm(dim=1, keepdim=True)  # (n, d) -> (n, 1)
    zero = norms == 0
    rows = torch.cat([rows / norms.masked_fill(zero, 1), zero.double()], 1)  # (n, d + 1)
    gram = rows.T @ rows if rows.shape[1] < len(rows) else rows @ rows.T
    values = torch.linalg.eigvalsh(gram / len(rows)).clamp(min=0)
    return torch.special.entr(values).sum().exp().item()


def duplicates(rows: Tensor) -> Tensor:
    """How many rows are exactly like each row, itself included: (n, *shape) -> (n,) int64.

    Rows are sorted by a random 64-bit hash and neighbours of one hash compared in full, so nothing
    unequal is ever taken for equal.  -0 equals 0, NaN equals nothing.
    """
    flat = rows.flatten(1)
    if flat.is_floating_point():  # + 0 turns -0 into 0; then the bits of a float are its identity
        bits = {2: torch.int16, 4: torch.int32, 8: torch.int64}[flat.element_size()]
        codes = (flat + 0.0).view(bits)
    else:
        codes = flat
    generator = torch.Generator().manual_seed(0)
    weights = torch.randint(-(2**63), 2**63 - 1, (flat.shape[1],), generator=generator)
    weights = weights.bitwise_or(1).to(flat.device)  # odd, so that no single change cancels
    hashes = [
        (few.long() * weights).sum(1) for few in codes.split(1024)
    ]  # (c, d) -> (c,), mod 2^64
    keys, order = torch.cat(hashes).sort()
    same = keys[1:] == keys[:-1]
    pairs = same.nonzero()[:, 0]
    same[pairs] = (flat[order[pairs]] == flat[order[pairs + 1]]).all(1)
    group = torch.cat([same.new_zeros(1, dtype=torch.int64), (~same).long().cumsum(0)])
    sizes = group.bincount()[group]  # of the group of each row, in the order of the hashes
    return torch.empty_like(sizes).scatter_(0, order, sizes)


@metric()
def support(evalset: EvaluationSet) -> Measure:
    """How many distinct samples there are, by the pairs that are nearly the same.

    A pair counts when it is no farther apart, in raw, than held-out data are from their nearest
    training point in the closest 1% of cases.  Interval: ``support_size``, which leaves out the
    error of that distance.  Without a pair the value is the 95% lower bound.
    """
    n = len(evalset.samples)
    if n < 2 or not len(evalset.heldout):
        raise NotDefined(f"pairs need at least 2 samples and a held-out point, not {n} samples")
    gaps = nearest_train(evalset.heldout, evalset.train)[0][:, 0]  # (n,)
    tau = gaps.quantile(0.01)
    raw = evalset.samples.raw
    close = sum(
        int((block <= tau.square()).sum()) for _, _, block in distance_blocks(raw, raw, side=-1)
    )
    pairs = (close - n) // 2  # every pair twice, and every point with itself
    size = support_size(pairs, n)
    note = f"{pairs} pairs within {tau:.3g}"
    if size.value is None:
        note += ", so this is the 95% lower bound"
        return Measure(
            "support", size.low, None, None, None, n, Kind.LOWER, "distinct", "higher", note
        )
    return Measure(
        "support",
        size.value,
        interval=(size.low, size.high),
        n=n,
        unit="distinct",
        direction="higher",
        note=note,
    )


@metric()
def neighbour_distance(evalset: EvaluationSet) -> Measure:
    """Mean distance to the nearest other sample, over the same among held-out data, both in raw.

    Below 1 the samples crowd, above 1 they scatter.  Standard error: the delta method on a
    jackknife of 20 blocks for each mean, so that neighbours in common count; none below 20 points.
    Raises ``NotDefined`` when every held-out point is repeated, as there is nothing to divide by.
    """
    n = min(len(evalset.samples), len(evalset.heldout))
    if n < 2:
        raise NotDefined(f"a distance between neighbours needs at least 2 points of each, not {n}")
    ours, variance = _mean_nearest_distance(evalset.samples.raw, evalset.generator())
    real, real_variance = _mean_nearest_distance(evalset.heldout.raw, evalset.generator())
    if real == 0:
        raise NotDefined("every held-out point has an exact copy, so their distances are all 0")
    ratio = ours / real
    error = math.sqrt(variance + ratio**2 * real_variance) / real
    return Measure(
        "neighbour distance",
        ratio,
        error if n >= _BLOCKS else None,
        n=n,
        unit="of held-out",
        direction="like real",
    )


@metric()
def vendi_score(evalset: EvaluationSet) -> Measure:
    """``vendi`` of the samples' features: their effective number; grows with n, so compare equal n.

    Standard error: a jackknife of 20 blocks in random order; none below 20 samples.
    """
    features = evalset.samples.features
    n = len(features)
    score = vendi(features)
    error = None
    if n >= _BLOCKS:
        block = random_blocks(n, _BLOCKS, evalset.generator()).to(features.device)
        left = [vendi(features[block != i]) for i in range(_BLOCKS)]
        error = jackknife_variance(torch.tensor(left, dtype=torch.float64)).sqrt().item()
    return Measure("vendi score", score, error, n=n, direction="higher", unit="distinct")


@metric()
def duplicate_share(evalset: EvaluationSet) -> Measure:
    """The share of samples that another sample equals exactly.

    Standard error: the jackknife over samples, too long by 1.4 when duplicates are rare pairs and by
    more when most samples have one.  Where there are none, the interval ends where the
    pairs of n draws would come to ln 20 = 3.0 on average, of which none is seen 5% of the time.
    """
    n = len(evalset.samples)
    if n < 2:
        raise NotDefined(f"duplicates need at least 2 samples, not {n}")
    sizes = duplicates(evalset.samples.part.values)
    repeated = int((sizes > 1).sum())
    if repeated == 0:
        interval = (0.0, min(2 * math.log(20) / n, 1.0))
        return Measure("duplicate share", 0.0, interval=interval, n=n)
    # without one sample: a pair loses both, a larger group one, and the others none
    left = (repeated - (sizes > 1).double() - (sizes == 2).double()) / (n - 1)
    error = math.sqrt(left.var(correction=0).item() * (n - 1))
    return Measure("duplicate share", repeated / n, error, n=n)


def _mean_nearest_distance(points: Tensor, generator: torch.Generator) -> tuple[float, float]:
    """(mean distance to the nearest other point, its jackknife variance); points (n, d)."""
    n = len(points)
    distances, index = nearest(points, points, min(_SPARE, n - 1), exclude_self=True)  # (n, k)
    block = random_blocks(n, _BLOCKS, generator).to(points.device)
    left = []
    for i in range(min(_BLOCKS, n)):
        # the nearest that stays; that all 8 go at once happens to a point in 20^8
        first = (block[index] != i).int().argmax(1, keepdim=True)  # (n, k) -> (n, 1)
        left.append(distances.gather(1, first)[block != i, 0].mean())
    return distances[:, 0].mean().item(), jackknife_variance(torch.stack(left)).item()
