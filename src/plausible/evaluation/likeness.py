"""A distance that stays small when an image is mirrored, moved, made brighter or darker, or saved again.

Copies are looked for by d(x, y) = min_v |v(x) - v(y)| / s_v over views v, each in units of s_v, the median distance of a
training example to its nearest other one.  The first view is raw.  An image has two more, which no mirroring, no circular
shift, no brightness and no contrast changes: ``spectrum`` of the whole image, and of its interior, as what is
moved without being wrapped around changes near the border.  No learning goes into any of them, T and H are seen alike.

What counts as alike is chosen by training examples that are copied on purpose, see ``copies_on_purpose``.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet, Likeness
from plausible.evaluation.metrics.neighbours import nearest
from plausible.evaluation.saved_again import saved_again
from plausible.evaluation.shrink import raw_pixels

_LOWEST = 4  # frequencies along each axis
_SMALLEST = 4  # pixels a side from which an image has a spectrum
_BORDER = 2  # pixels left out of the interior, as far as a small shift reaches
_WITH_INTERIOR = 16  # pixels a side from which there is one
_SIDE = 32  # pixels a side to which an image is shrunk first
_FLAT = 1e-3  # norm below which an image is taken for constant
_CHUNK = 1024

_CHANCE = (
    1 / 500
)  # share of real examples that a threshold may take for copies, where nothing else says
_CLOSEST = 0.5  # the largest ratio of distances that makes a copy, and the largest distance that makes two points the same
_THRESHOLDS = torch.arange(1, 51) / 100  # up to that, one of which is chosen
_ROUNDING = 1e-5  # distances below are 0
_ASKED = 1000  # training examples that say when two points are alike
_COPIED = 400  # of them, which are copied on purpose
_NARROW = 0.7  # spread of samples that are too narrow, and no duplicates for it
_NOISE = 0.02  # of the deviation of each coordinate, by which a copy of a vector is off

Neighbours = tuple[Tensor, Tensor]
"""Distances (n, k), ascending, and rows (n, k)."""


def spectrum(x: Tensor, border: int = 0) -> Tensor:
    """max and min of |F(u, v)| and |F(-u, v)| at low frequencies, F of x less its mean at unit norm: (N, C, H, W) -> (N, q).

    |F| is blind to circular shifts; the maximum and the minimum of a pair are blind to which of the two is which,
    and so to mirroring along either axis.  q = 45 C from 9 pixels a side on.
    border  pixels that are cut off on each side before.
    """
    if not len(x):  # of which no library takes a Fourier transform
        return spectrum(x.new_zeros(1, *x.shape[1:]), border)[:0]
    x = x[..., border : x.shape[2] - border, border : x.shape[3] - border]
    height, width = (min(side, _SIDE) for side in x.shape[2:])
    x = adaptive_avg_pool2d(x, (height, width))
    x = x - x.mean((1, 2, 3), keepdim=True)
    x = x / x.flatten(1).norm(dim=1).clamp(min=_FLAT)[:, None, None, None]
    power = torch.fft.rfft2(x, norm="ortho").abs()[..., : min(_LOWEST, width // 2) + 1]
    rows = torch.arange(1, min(_LOWEST, (height - 1) // 2) + 1)
    ahead, back = power[:, :, rows], power[:, :, -rows]  # (N, C, u, v)
    pairs = [power[:, :, 0], *torch.maximum(ahead, back).unbind(2)]
    return torch.stack([*pairs, *torch.minimum(ahead, back).unbind(2)], 2).flatten(1)


def views(points: Embedded) -> tuple[Tensor, ...]:
    """The points as they are compared in search of copies, (n, p) each; the first is raw."""
    if points.views is not None:
        return points.views
    if not (borders := _borders(points.part.space)):
        return (points.raw,)
    seen: list[list[Tensor]] = [[] for _ in borders]
    for rows in torch.arange(len(points)).split(_CHUNK):
        x = points.part.batch(rows).x
        for found, border in zip(seen, borders, strict=True):
            found.append(spectrum(x, border))
    return (points.raw, *map(torch.cat, seen))


def _borders(space: Space) -> list[int]:
    """Pixels that are cut off before each spectrum; none where there is no spectrum."""
    if not space.is_image or min(space.shape[1:]) < _SMALLEST:
        return []
    return [0, _BORDER] if min(space.shape[1:]) >= _WITH_INTERIOR else [0]


def nearest_alike(
    a: Sequence[Tensor],
    b: Sequence[Tensor],
    k: int,
    scales: Sequence[float],
    *,
    exclude_self: bool = False,
) -> Neighbours:
    """The k nearest rows of b for each row of a by the least distance over views, as ``nearest``."""
    found = [nearest(x, y, k, exclude_self=exclude_self) for x, y in zip(a, b, strict=True)]
    return least(found, scales)


def least(found: Sequence[Neighbours], scales: Sequence[float]) -> Neighbours:
    """The k nearest by the least distance over views, from the k nearest in each: whoever is among the k is there."""
    k = found[0][0].shape[1]
    distances, rows = [], []
    for few in torch.arange(len(found[0][0])).split(_CHUNK):
        d = torch.cat([d[few] / scale for (d, _), scale in zip(found, scales, strict=True)], 1)
        i = torch.cat([i[few] for _, i in found], 1)  # (c, V k)
        d, order = torch.where(d < _ROUNDING, 0.0, d).sort(stable=True, dim=1)
        i = i.gather(1, order)
        again = (i[:, :, None] == i[:, None, :]).tril(-1).any(2)  # seen before, and nearer
        d, order = d.masked_fill(again, math.inf).sort(stable=True, dim=1)
        distances.append(d[:, :k])
        rows.append(i.gather(1, order)[:, :k])
    return torch.cat(distances), torch.cat(rows)


def likeness(evalset: EvaluationSet) -> Likeness:
    """When two points are alike, as measured within T alone, a part of which stands for H.

    Each threshold is the one at which training examples that are copied on purpose stand out most from those that
    are not, see ``stands_out``; one half at most.  With fewer than 4 training examples nothing is measured.
    """
    if evalset.likeness is not None:
        return evalset.likeness
    train, held = views(evalset.train), len(evalset.heldout)
    size = len(evalset.train)
    if size < 4:
        return Likeness((1.0,) * len(train), _CLOSEST, _CLOSEST, _CLOSEST, 0.0)
    generator = evalset.generator()
    order = torch.randperm(size, generator=generator)
    count = min(max(round(size * held / (size + held)), 1), size - 3)
    stand_in, rest = order[:count], order[count:]
    here, there = ([view[rows] for view in train] for rows in (rest, stand_in))
    asked = [view[:_ASKED] for view in here]
    found = [nearest(x, view, 3) for x, view in zip(asked, here, strict=True)]
    scales = tuple(_scale(distance[:, 1]) for distance, _ in found)
    own = least(found, scales)[0][:, 1:]  # (A, 2): the first is itself
    other = nearest_alike(asked, there, 1, scales)[0][:, 0]
    copies = [
        copies_on_purpose(evalset.train[rows[:_COPIED]], generator) for rows in (rest, stand_in)
    ]
    (near, far), (far_seen, near_seen) = (
        [nearest_alike(copy, side, 1, scales)[0][:, 0] for side in (here, there)] for copy in copies
    )
    return Likeness(
        scales,
        copied=stands_out(_ratio(own[:, 0], other), _ratio(near, far)),
        seen=stands_out(_ratio(other, own[:, 0]), _ratio(near_seen, far_seen)),
        doubled=min(_CLOSEST, _CHANCE ** (1 / intrinsic_dimension(own))),
        repeated=stands_out(_NARROW * other, near),
    )


def copies_on_purpose(points: Embedded, generator: torch.Generator) -> list[Tensor]:
    """The views of these points after a small change: images saved as JPEG, vectors with a little noise."""
    part = points.part
    if not part.space.is_image:
        noise = torch.randn(points.raw.shape, generator=generator)
        return [points.raw + _NOISE * points.raw.std(0, correction=0) * noise]
    x = saved_again(part.as_batch().x)
    return [raw_pixels(x), *(spectrum(x, border) for border in _borders(part.space))]


def stands_out(natural: Tensor, copied: Tensor) -> float:
    """The threshold t that tells copies best: argmax (P(c < t) - P(r < t)) / sqrt(P(r < t) + 1 / A), the largest of equals.

    natural  (A,) r, numbers of examples that are no copies.
    copied   (B,) c, those of copies after a small change; as many are exact and count 0.
    """
    base = (natural[:, None] < _THRESHOLDS).double().mean(0)  # (A, T) -> (T,)
    hit = (1 + (copied[:, None] < _THRESHOLDS).double().mean(0)) / 2
    z = (hit - base) / (base + 1 / len(natural)).sqrt()
    return _THRESHOLDS[(z >= z.max() - 1e-9).nonzero()[-1, 0]].item()


def intrinsic_dimension(distances: Tensor) -> float:
    """m = 1 / mean log(d2 / d1), the intrinsic dimension, at least 1: (n, 2) -> number.

    Source: Levina and Bickel 2004, https://papers.nips.cc/paper/2577 (with two neighbours).
    """
    positive = distances[distances[:, 0] > 0].double()
    mean = (positive[:, 1] / positive[:, 0]).log().mean().item() if len(positive) else 0.0
    return max(1 / mean, 1.0) if mean > 0 else 1.0


def check_enough(train: Embedded) -> None:
    """Refuse a training part that cannot say how far apart its examples are."""
    if len(train) < 3:
        raise NotDefined(
            f"{len(train)} training examples are too few to say how far apart they are"
        )


def _scale(distances: Tensor) -> float:
    """Their median; their mean where most are 0, and 1 where all are."""
    return distances.median().item() or distances.mean().item() or 1.0


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """a / b, 1 where both are 0: (n,)."""
    return torch.where(a == b, 1.0, a / b)
