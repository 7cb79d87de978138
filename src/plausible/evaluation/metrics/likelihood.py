"""How probable a model finds real data it has not seen."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from plausible.core.distances import squared_distances
from plausible.core.errors import NotDefined, UsageError
from plausible.core.examples import batches
from plausible.core.likelihood import LogProb
from plausible.core.model import Explicit
from plausible.core.ranks import all_shares, own_share
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.measure import Measure, metric

_CHUNK = 512
_POINTS = 2000
_ESTIMATED = 1000  # examples of H where each log p takes many draws
_WIDTHS = torch.logspace(-2, 0, 10, dtype=torch.float64).tolist()  # in deviations of the data


@metric(needs=Explicit)
def log_likelihood(evalset: EvaluationSet) -> list[Measure]:
    """E_H log p(x) in nats, and as the code length -log p / (D ln 2) of a coordinate in bits.

    The label of an example is not looked at: a conditional model answers with
    log sum_y p(y) p(x | y), so that its number compares with everyone else's.  Bits only where the
    space has levels, because the density of a continuous x has no code length.  A bound of log p
    from below bounds the bits from above.  A model that is not exact is asked of at most 1,000 of H.
    """
    model, space, part = evalset.model, evalset.space, evalset.heldout.part
    assert isinstance(model, Explicit)
    log_prob = log_prob_of(model, askable(part, model), evalset.generator())
    n, mean = len(log_prob.nats), log_prob.mean()
    note = "" if space.levels else "a density, in the units of the data"
    if broken := int((~log_prob.nats.isfinite()).sum()):
        note = f"{broken:,} of {n:,} held-out examples have a log-probability that is not finite"
    assert mean.stderr is not None
    # what one example alone is off by nobody knows; Measure turns NaN into None
    error = mean.stderr.item() if n > 1 or log_prob.stderr is not None else math.nan
    nats = Measure(
        "log likelihood", mean.nats.item(), error, n=n, kind=mean.kind, unit="nats",
        direction="higher", note=note,
    )  # fmt: skip
    if not space.levels:
        return [nats]
    bits = mean.bits_per_dim(space.dims).item()
    error /= space.dims * math.log(2)
    kind = -mean.kind
    return [
        nats,
        Measure("bits per dimension", bits, error, n=n, kind=kind, unit="bits", note=note),
    ]


def askable(part: Part, *models: Explicit) -> Part:
    """The points themselves, or the first 1,000 where a model takes many draws for each."""
    return (
        part if all(model.exact_log_prob for model in models) else part.rows(slice(0, _ESTIMATED))
    )


def log_prob_of(model: Explicit, part: Part, generator: torch.Generator) -> LogProb:
    """log p(x) of each of these points, (n,); where several processes share them, each asks of some if it is exact."""
    shared = model.exact_log_prob
    mine = own_share(len(part), _CHUNK) if shared else slice(0, len(part))
    count = mine.stop - mine.start
    asked = part.rows(mine if count else slice(0, 1))  # by one point who has none knows the kind
    found = LogProb.cat(
        [model.log_prob(batch.x, generator=generator) for batch in batches(asked, _CHUNK)]
    )
    if not shared:
        return found
    return replace(found, nats=all_shares(found.nats[:count], len(part), _CHUNK))


def parzen(samples: Tensor, points: Tensor, sigma: float) -> Tensor:
    """log (1/n) sum_i N(x; s_i, sigma^2 I) of each point x, in nats.

    samples (n, D), points (m, D) -> (m,) float64.  Raises ``UsageError`` unless sigma > 0.
    Source: Parzen 1962, doi:10.1214/aoms/1177704472.
    """
    if not sigma > 0:
        raise UsageError(f"the width of a kernel must be more than 0, not {sigma}")
    return torch.cat(
        [
            _kernels(_centred_squares(few, samples), sigma, samples.shape[1])
            for few in points.split(_CHUNK)
        ]
    )


@metric()
def parzen_window(evalset: EvaluationSet) -> Measure:
    """E_H log of a kernel density estimate on the samples, in nats: a measure of old papers.

    At most 2,000 samples carry a Gaussian kernel each, on pixels or coordinates as they are; of the
    ten widths from 0.01 to 1 times the deviation of the training part (root mean variance of its
    coordinates) the one that suits at most 2,000 training examples best is taken.  Copies of them
    therefore choose the narrowest, and find held-out data next to impossible.
    Raises ``NotDefined`` if the training part does not vary.
    Source: Breuleux et al. 2011, doi:10.1162/NECO_a_00158; against it: Theis et al. 2016,
    https://arxiv.org/abs/1511.01844.
    """
    generator = evalset.generator()
    train, real, made = (
        _random_points(embedded.part, generator)
        for embedded in (evalset.train, evalset.heldout, evalset.samples)
    )
    deviation = train.var(0, correction=0).mean().sqrt().item()  # (N, D) -> (D,) -> ()
    if not deviation > 0:
        raise NotDefined("the training examples are all the same, so there is no width of a kernel")
    dims = made.shape[1]
    best, sigma = -math.inf, deviation * _WIDTHS[-1]
    squares = torch.cat([_centred_squares(few, made) for few in train.split(_CHUNK)])  # (m, n)
    for width in _WIDTHS:
        fit = _kernels(squares, deviation * width, dims).mean().item()
        if fit > best:
            best, sigma = fit, deviation * width
    nats = parzen(made, real, sigma)  # (m,)
    error = (nats.var() / len(nats)).sqrt().item() if len(nats) > 1 else math.nan
    note = (
        f"legacy, sigma {sigma:.3g}: k-means centres can score above real data; "
        "do not rank models by it"
    )
    return Measure(
        "parzen window", nats.mean().item(), error, n=len(nats), unit="nats", direction="higher",
        note=note,
    )  # fmt: skip


def _random_points(part: Part, generator: torch.Generator) -> Tensor:
    """At most 2,000 of a part in random order, (n, D) float64."""
    rows = torch.randperm(len(part), generator=generator)[:_POINTS]
    return part.batch(rows).x.cpu().flatten(1).double()


def _centred_squares(points: Tensor, samples: Tensor) -> Tensor:
    """|x - s|^2: (m, D), (n, D) -> (m, n), by a product in float64 around a common centre.

    In float32 the product would lose distances below a thousandth of the size of x, which the
    narrowest kernels resolve.
    """
    centre = samples.double().mean(0)
    x, s = points.double() - centre, samples.double() - centre
    return squared_distances(x, s)


def _kernels(squares: Tensor, sigma: float, dims: int) -> Tensor:
    """log of the mean of n Gaussian kernels at the given squared distances: (m, n) -> (m,)."""
    scale = math.log(squares.shape[1]) + dims / 2 * math.log(2 * math.pi * sigma**2)
    return (squares / (-2 * sigma**2)).logsumexp(1) - scale
