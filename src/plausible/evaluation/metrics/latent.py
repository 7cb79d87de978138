"""The space of z behind the samples."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from plausible.core.capabilities import Latent
from plausible.core.errors import NotDefined
from plausible.core.model import Generative
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.features import Features
from plausible.evaluation.measure import Measure, metric
from plausible.sampling.latent import Interpolation, decoder, slerp

_PAIRS = 512
_CHUNK = 128


def path_length(
    decode: Callable[[Tensor], Tensor],
    extract: Features,
    start: Tensor,
    end: Tensor,
    interpolate: Interpolation = torch.lerp,
    *,
    generator: Generator | None = None,
    epsilon: float = 1e-2,
) -> Tensor:
    """|f(G(w(t + e))) - f(G(w(t)))|^2 / e^2 at one t ~ U(0, 1 - e) of each path w, (N,).

    decode G: z (N, d) -> x (N, *shape), not rounded to levels; extract f: x -> (N, features);
    start and end (N, d).  For G(z) = A z, straight walks and f the identity the expectation over
    z ~ N(0, I) is 2 |A|_F^2; for a constant G it is 0.
    The step e: on a GAN of 28x28 images, float32 networks move one squared speed by 7e-6 of itself
    at e = 1e-2 and by 7e-4 at the source's 1e-4, growing as 1 / e, and less exact arithmetic (TF32)
    by more; on a trained one a ratio of two lengths at 1e-2 is within 0.3% of its limit, a tenth of
    its standard error.  Walks and differences are float64.
    Source: Karras et al. 2019, https://arxiv.org/abs/1812.04948 (perceptual path length).
    """
    start64, end64 = start.double(), end.double()
    t = torch.rand(len(start), 1, dtype=torch.float64, generator=generator) * (1 - epsilon)
    here, there = (
        extract(decode(interpolate(start64, end64, at).to(start.dtype))).cpu().double().flatten(1)
        for at in (t, t + epsilon)
    )  # (N, features) each
    return (there - here).square().sum(1) / epsilon**2  # (N,)


@metric(needs=Latent)
@torch.no_grad()
def path_length_ratio(evalset: EvaluationSet) -> Measure:
    """E |df/dt|^2 along G of great circles over the same along straight blends of held-out pairs.

    f is the extractor of the set.  Near 1 walking through z changes x as evenly as cross-fading two
    real examples does; far above, x jumps.  Both ends of a path share one label.
    Not stopped by a clock, so that the number does not depend on the machine: 1,024 decodings cost
    less than the samples did.
    Raises ``NotDefined`` for fewer than 2 held-out examples, or if they all have the same features.
    """
    model, generator = evalset.model, evalset.generator()
    assert isinstance(model, Latent)
    assert isinstance(model, Generative)
    real = _blends(evalset, generator)  # (pairs,)
    start, end = model.latent(2 * _PAIRS, generator).chunk(2)  # (pairs, d) each
    y = model.labels(_PAIRS, generator=generator)
    lengths = []
    with model.evaluating():
        for rows in torch.arange(_PAIRS).split(_CHUNK):
            decode = decoder(model, None if y is None else y[rows])
            path = start[rows], end[rows], slerp
            lengths.append(path_length(decode, evalset.extract, *path, generator=generator))
    made = torch.cat(lengths)  # (pairs,)
    if not made.isfinite().all():
        raise NotDefined("the features along some walks through z are NaN or infinite")
    value = (made.mean() / real.mean()).item()
    # not relative to ``made``, whose mean is 0 for a constant generator
    variance = made.var() + value**2 * real.var()
    error = math.sqrt(variance.item() / _PAIRS) / real.mean().item()
    note = "0 for a constant generator: read it with diversity"
    return Measure("path length ratio", value, error, n=_PAIRS, note=note)


def _blends(evalset: EvaluationSet, generator: Generator) -> Tensor:
    """Squared speeds along straight lines between pairs of different held-out examples, (pairs,)."""
    part, shape = evalset.heldout.part, evalset.space.shape
    if len(part) < 2:
        raise NotDefined(f"blends need at least 2 held-out examples, not {len(part)}")
    first = torch.randint(len(part), (_PAIRS,), generator=generator)
    second = (first + torch.randint(1, len(part), (_PAIRS,), generator=generator)) % len(part)
    speeds = []
    for rows in torch.arange(_PAIRS).split(_CHUNK):
        start, end = (part.batch(ends[rows]).x.flatten(1) for ends in (first, second))
        whole = _reshaper(shape)
        speeds.append(path_length(whole, evalset.extract, start, end, generator=generator))
    real = torch.cat(speeds)
    if not (real.isfinite().all() and real.mean() > 0):
        raise NotDefined(
            "held-out examples do not differ in these features, so paths have no scale"
        )
    return real


def _reshaper(shape: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
    return lambda x: x.unflatten(1, shape)  # (N, D) -> (N, *shape)
