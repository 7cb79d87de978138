"""The directions of z along which x changes most, and walks along them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.autograd.functional import jvp, vjp

from plausible.core.capabilities import Latent
from plausible.core.model import Generative
from plausible.sampling.latent import decode_on_levels, decoder

_MORE = 4  # vectors beside those asked for, so that these are found sooner
_ITERATIONS = 3  # of the subspace
_CHUNK = 32  # draws of z at once


@dataclass(frozen=True)
class Directions:
    """The leading eigenvectors of M = E J^T J, J the Jacobian of E[x | z], and what they bring about.

    vectors  (k, d) orthonormal, the strongest first; the largest coordinate of each is positive.
    gains    (k,) sqrt(v^T M v): by how much x changes, in its own units, for one standard deviation of z.
    shares   (k,) (v^T M v) / trace M, the trace estimated: the share of all change to first order.
    """

    vectors: Tensor
    gains: Tensor
    shares: Tensor


def principal_directions(
    model: Latent,
    k: int = 8,
    y: int | None = None,
    *,
    draws: int = 64,
    generator: Generator | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Directions:
    """The k leading eigenvectors of E J^T J over draws of z ~ N(0, I), by subspace iteration.

    Products with J are made, never J: each iteration costs ``draws`` times k + 4 of them forwards and backwards.
    y      the label of all draws; by default each draw of a conditional model has a drawn one.
    draws  of z over which J^T J is averaged.
    Sources: Wang and Ponce 2021, https://arxiv.org/abs/2101.06006 (the metric of a generator, averaged over z);
    Ramesh et al. 2018, https://arxiv.org/abs/1812.01161 (singular vectors of J); Halko et al. 2011,
    https://arxiv.org/abs/0909.4061 (the eigenvectors).
    """
    assert isinstance(model, Generative)
    z, labels = model.latent(draws, generator), model.labels(draws, y, generator)
    size = min(k + _MORE, z.shape[1])
    basis = torch.randn(z.shape[1], size, generator=generator).double()
    rounds = _ITERATIONS + 1
    with model.evaluating():
        for i in range(rounds):
            q = torch.linalg.qr(basis).Q  # (d, size)

            def done(share: float, at: int = i) -> None:
                progress((at + share) / rounds)

            basis = _metric_products(model, z, labels, q, done)
    small = q.T @ basis  # (size, size), the part of M in the last q, near the leading eigenvectors
    values, inside = torch.linalg.eigh((small + small.T) / 2)
    values, vectors = values.flip(0)[:k].clamp(min=0), (q @ inside.flip(1)[:, :k]).T  # (k,), (k, d)
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))  # (k, 1)
    trace = _trace(model, z, labels, q, small, generator)
    return Directions(
        (vectors * largest.sign()).float(), values.sqrt().float(), (values / trace).float()
    )


def _metric_products(
    model: Latent,
    z: Tensor,
    y: Tensor | None,
    vectors: Tensor,
    progress: Callable[[float], None] = lambda share: None,
) -> Tensor:
    """M v of each column v of vectors (d, n): (d, n), float64."""
    total = torch.zeros(vectors.shape, dtype=torch.float64)
    for column, v in enumerate(vectors.T):
        for rows in torch.arange(len(z)).split(_CHUNK):
            decode = decoder(model, None if y is None else y[rows])
            here = z[rows]
            along = v.to(here.dtype).expand_as(here)
            change = jvp(decode, here, along)[1]  # J v of each draw, (n, *shape)
            back = vjp(decode, here, change)[1]  # J^T J v, (n, d)
            total[:, column] += back.double().sum(0) / len(z)
        progress((column + 1) / vectors.shape[1])
    return total


def _trace(
    model: Latent,
    z: Tensor,
    y: Tensor | None,
    q: Tensor,
    small: Tensor,
    generator: Generator | None,
    probes: int = 8,
) -> Tensor:
    """trace M, its part outside of span q (d, n) estimated by random signs.

    Source: Meyer et al. 2021, https://arxiv.org/abs/2010.09649 (Hutch++).
    """
    signs = torch.randint(2, (len(q), probes), generator=generator).double() * 2 - 1  # (d, probes)
    outside = signs - q @ (q.T @ signs)
    if q.shape[0] == q.shape[1]:
        return small.trace()
    return small.trace() + (outside * _metric_products(model, z, y, outside)).sum() / probes


def walks_along(
    model: Latent,
    directions: Tensor,
    columns: int,
    y: int | None = None,
    *,
    far: float = 3.0,
    generator: Generator | None = None,
) -> Tensor:
    """E[x | z] where one z has -far to far standard deviations along each direction: (k, columns, *shape).

    The rest of z is one draw that stays.  directions (k, d) of length 1.
    """
    assert isinstance(model, Generative)
    z = model.latent(1, generator)  # (1, d)
    steps = torch.linspace(-far, far, columns)[None, :, None]  # (1, columns, 1)
    rest = z - (directions @ z.T) * directions  # (k, d)
    path = rest[:, None] + steps * directions[:, None]  # (k, columns, d)
    n = len(directions) * columns
    label = model.labels(1, y, generator)
    x = decode_on_levels(model, path.flatten(0, 1), None if label is None else label.expand(n))
    return x.unflatten(0, (len(directions), columns))
