"""Paths through the space of z behind the samples: spherical interpolation (slerp)."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from plausible.core.capabilities import Latent
from plausible.core.model import Generative

_CHUNK = 128

Interpolation = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(start (..., d), end (..., d), t (..., 1)) -> the point at t of the path, (..., d)."""


def slerp_path(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """``steps`` points of ``slerp`` from start to end: (N, d), (N, d) -> (N, steps, d)."""
    t = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]  # (steps, 1)
    return slerp(start[:, None], end[:, None], t)


def slerp(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Spherical interpolation, the point at t of the great circle: (..., d), (..., d), (..., 1) -> (..., d).

    Directions turn at constant speed and lengths change linearly, because nearly all of N(0, I)
    lies at distance about sqrt(d), where a straight line would leave it for the middle.
    Source: White 2016, https://arxiv.org/abs/1609.04468.
    """
    a, b = start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True)  # (..., 1)
    u, v = start / a, end / b
    angle = (u * v).sum(-1, keepdim=True).clamp(-1, 1).acos()  # (..., 1)
    sine = angle.sin()
    turned = (((1 - t) * angle).sin() * u + (t * angle).sin() * v) / sine  # (..., d)
    straight = (1 - t) * u + t * v  # the limit where the two directions agree
    direction = torch.where(sine > 1e-4, turned, straight)
    return direction * ((1 - t) * a + t * b)


@torch.no_grad()
def latent_walks(
    model: Latent, rows: int, columns: int, y: int | None = None, generator: Generator | None = None
) -> Tensor:
    """x along ``rows`` great circles of ``columns`` points between draws of z: (rows columns, *shape).

    On the levels of the space, one walk after another.  y is the label of all walks; by default each
    walk of a conditional model has a drawn one.
    """
    assert isinstance(model, Generative)
    start, end = model.latent(2 * rows, generator).chunk(2)  # (rows, d) each
    z = slerp_path(start, end, columns).flatten(0, 1)  # (rows columns, d)
    drawn = model.labels(rows, y, generator)
    return decode_on_levels(model, z, None if drawn is None else drawn.repeat_interleave(columns))


@torch.no_grad()
def decode_on_levels(model: Latent, z: Tensor, y: Tensor | None = None) -> Tensor:
    """E[x | z] of z (N, d) and labels (N,), on the levels of the space, on the CPU: (N, *shape)."""
    assert isinstance(model, Generative)
    parts = [
        decoder(model, None if y is None else y[rows])(z[rows]).cpu()
        for rows in torch.arange(len(z)).split(_CHUNK)
    ]
    return model.space.quantise(torch.cat(parts))


def decoder(model: Latent, y: Tensor | None) -> Callable[[Tensor], Tensor]:
    """z (N, d) -> E[x | z] (N, *shape) off the grid, for labels y (N,), where the model is."""
    assert isinstance(model, Generative)
    device = model.offset.device
    labels = None if y is None else y.to(device)
    return lambda z: model.decode(z.to(device), labels)
