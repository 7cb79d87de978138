"""The space of z behind the samples."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from plausible.core.model import Generative
from plausible.core.registry import Refused
from plausible.core.verbs import Latent
from plausible.evaluation.features import Features
from plausible.evaluation.measure import Measure, metric
from plausible.evaluation.study import Study

_PAIRS = 512
_CHUNK = 128

Walk = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(start (..., d), end (..., d), t (..., 1)) -> the point at t of the way, (..., d)."""


def great_circle(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """``steps`` points from start to end along a great circle: (N, d), (N, d) -> (N, steps, d).

    Directions turn at constant speed and lengths change linearly, because nearly all of N(0, I)
    lies at distance about sqrt(d), where a straight line would leave it for the middle.
    Source: White 2016, https://arxiv.org/abs/1609.04468.
    """
    t = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]  # (steps, 1)
    return turn(start[:, None], end[:, None], t)


def turn(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """The point at t of the great circle: (..., d), (..., d), (..., 1) -> (..., d)."""
    a, b = start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True)  # (..., 1)
    u, v = start / a, end / b
    angle = (u * v).sum(-1, keepdim=True).clamp(-1, 1).acos()  # (..., 1)
    sine = angle.sin()
    turned = (((1 - t) * angle).sin() * u + (t * angle).sin() * v) / sine  # (..., d)
    straight = (1 - t) * u + t * v  # the limit where the two directions agree
    direction = torch.where(sine > 1e-4, turned, straight)
    return direction * ((1 - t) * a + t * b)


@torch.no_grad()
def walks(
    model: Latent, rows: int, columns: int, y: int | None = None, generator: Generator | None = None
) -> Tensor:
    """x along ``rows`` great circles of ``columns`` points between draws of z: (rows columns, *shape).

    On the levels of the space, one walk after another.  y is the label of all walks; by default each
    walk of a conditional model has a drawn one.
    """
    assert isinstance(model, Generative)
    start, end = model.latent(2 * rows, generator).chunk(2)  # (rows, d) each
    z = great_circle(start, end, columns).flatten(0, 1)  # (rows columns, d)
    drawn = model.labels(rows, y, generator)
    return decoded(model, z, None if drawn is None else drawn.repeat_interleave(columns))


@torch.no_grad()
def decoded(model: Latent, z: Tensor, y: Tensor | None = None) -> Tensor:
    """E[x | z] of z (N, d) and labels (N,), on the levels of the space, on the CPU: (N, *shape)."""
    assert isinstance(model, Generative)
    parts = [
        _decoder(model, None if y is None else y[some])(z[some]).cpu()
        for some in torch.arange(len(z)).split(_CHUNK)
    ]
    return model.space.quantise(torch.cat(parts))


def path_length(
    decode: Callable[[Tensor], Tensor],
    extract: Features,
    start: Tensor,
    end: Tensor,
    walk: Walk = torch.lerp,
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
        extract(decode(walk(start64, end64, at).to(start.dtype))).cpu().double().flatten(1)
        for at in (t, t + epsilon)
    )  # (N, features) each
    return (there - here).square().sum(1) / epsilon**2  # (N,)


@metric(needs=Latent)
@torch.no_grad()
def path_length_ratio(study: Study) -> Measure:
    """E |df/dt|^2 along G of great circles over the same along straight blends of held-out pairs.

    f is the study's extractor.  Near 1 walking through z changes x as evenly as cross-fading two
    real examples does; far above, x jumps.  Both ends of a path share one label.
    Not stopped by a clock, so that the number does not depend on the machine: 1,024 decodings cost
    less than the samples did.
    Raises ``Refused`` for fewer than 2 held-out examples, or if they all have the same features.
    """
    model, generator = study.model, study.generator()
    assert isinstance(model, Latent)
    assert isinstance(model, Generative)
    real = _blends(study, generator)  # (pairs,)
    start, end = model.latent(2 * _PAIRS, generator).chunk(2)  # (pairs, d) each
    y = model.labels(_PAIRS, generator=generator)
    was_training = model.training
    model.eval()
    try:
        made = torch.cat(
            [
                path_length(
                    _decoder(model, None if y is None else y[rows]),
                    study.extract,
                    start[rows],
                    end[rows],
                    turn,
                    generator=generator,
                )
                for rows in torch.arange(_PAIRS).split(_CHUNK)
            ]
        )  # (pairs,)
    finally:
        model.train(was_training)
    if not made.isfinite().all():
        raise Refused("the features along some walks through z are NaN or infinite")
    value = (made.mean() / real.mean()).item()
    # not relative to ``made``, whose mean is 0 for a constant generator
    variance = made.var() + value**2 * real.var()
    error = math.sqrt(variance.item() / _PAIRS) / real.mean().item()
    note = "0 for a constant generator: read it with diversity"
    return Measure("path length ratio", value, error, n=_PAIRS, note=note)


def _blends(study: Study, generator: Generator) -> Tensor:
    """Squared speeds along straight lines between pairs of different held-out examples, (pairs,)."""
    part, shape = study.heldout.part, study.space.shape
    if len(part) < 2:
        raise Refused(f"blends need at least 2 held-out examples, not {len(part)}")
    first = torch.randint(len(part), (_PAIRS,), generator=generator)
    second = (first + torch.randint(1, len(part), (_PAIRS,), generator=generator)) % len(part)
    speeds = []
    for rows in torch.arange(_PAIRS).split(_CHUNK):
        start, end = (part.batch(ends[rows]).x.flatten(1) for ends in (first, second))
        whole = _reshaper(shape)
        speeds.append(path_length(whole, study.extract, start, end, generator=generator))
    real = torch.cat(speeds)
    if not (real.isfinite().all() and real.mean() > 0):
        raise Refused("held-out examples do not differ in these features, so paths have no scale")
    return real


def _decoder(model: Latent, y: Tensor | None) -> Callable[[Tensor], Tensor]:
    assert isinstance(model, Generative)
    device = model.offset.device
    labels = None if y is None else y.to(device)
    return lambda z: model.decode(z.to(device), labels)


def _reshaper(shape: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
    return lambda x: x.unflatten(1, shape)  # (N, D) -> (N, *shape)
