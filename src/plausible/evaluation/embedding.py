"""How points are seen: features, raw coordinates and modes, all fixed by the training part alone."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.errors import NotDefined
from plausible.core.ranks import all_shares, own_share
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import Embedded
from plausible.evaluation.features import Features, pca, random_convolutions
from plausible.evaluation.invariants import deviations, never_varying, standardised
from plausible.evaluation.metrics.histogram import Assign, classifier_modes, kmeans_bins
from plausible.evaluation.shapes import shape, shapes
from plausible.evaluation.shrink import raw_pixels

_CHUNK = 1024
_WIDE = 1024  # coordinates beyond which vectors are projected
_LEARN = 10_000  # training examples that fix principal components and scales
_FULL = 100  # held-out examples in a bin, about: fewer say little about one bin
_BINS = 20
_FARTHEST = 1e15  # whose square still has room in float32


@dataclass(frozen=True)
class Embedding:
    """x -> (features, raw, mode); see ``Embedded`` for what the three are.

    feature_description  what the features are, for people.
    names     of the modes.
    labelled  whether the modes are classes.
    """

    extract: Features
    raw: Features
    assign: Assign
    feature_description: str
    names: tuple[str, ...]
    labelled: bool

    def embed(
        self,
        part: Part,
        *,
        modes: Tensor | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Embedded:
        """See every point of a part once, a chunk at a time; progress(points just seen).

        modes  (N,) where they are known and need not be assigned.
        Where several processes share, each sees some of the chunks.
        Raises ``NotDefined`` when a feature is NaN or infinite.
        """
        n = len(part)
        mine = torch.arange(n)[own_share(n, _CHUNK)]
        chunks = mine.split(_CHUNK) if len(mine) else [torch.arange(min(n, 1))]  # for their widths
        features, raw, assigned = [], [], []
        for rows in chunks:
            x = part.batch(rows).x
            with torch.no_grad():
                features.append(_flat(self.extract(x)))
            raw.append(self.raw(x).float().cpu())
            mode = self.assign(x, features[-1]) if modes is None else modes[rows]
            assigned.append(mode.cpu())
            if progress:
                progress(len(rows))
        seen = [torch.cat(few)[: len(mine)] for few in (features, raw, assigned)]
        looks, coordinates, numbers = (all_shares(few, n, _CHUNK) for few in seen)
        _check_measurable(looks, "features")  # of all, so that every process says the same
        _check_measurable(coordinates, "coordinates")
        return Embedded(part.to("cpu"), looks, coordinates, numbers)


def fit_embedding(
    train: Part,
    compared: int,
    class_names: tuple[str, ...] = (),
    classifier: Classifier | None = None,
    features: tuple[Features, str] | None = None,
    seed: int = 0,
) -> Embedding:
    """The embedding of a training part, for comparing ``compared`` held-out examples with samples.

    features    an extractor x -> (N, d) and what it is called; by default the principal components
                of random convolutions for images, of standardised coordinates for vectors.  Of vectors
                the distance from what never varies in T is one more, see ``invariants``.
    classifier  assigns modes to labelled data; otherwise k-means of shapes places 2 to 20 bins, so that about
                100 held-out examples fall into each.
    """
    space, generator = train.space, torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(train), generator=generator)[:_LEARN]
    x = train.batch(rows).x
    raw = _raw(space, x)
    if features is None:
        features = with_invariants(convolutional_features(train.rows(rows)), train.rows(rows))
    extract, description = features
    if classifier is not None:
        return Embedding(extract, raw, classifier_modes(classifier), description, class_names, True)
    seen = shapes(train.rows(rows)) if space.is_image else raw(x)
    count = min(max(compared // _FULL, 2), _BINS)
    _check_measurable(seen, "coordinates")
    bins, count = kmeans_bins(seen, count, generator)
    look = shape if space.is_image else raw

    def assign(x: Tensor, features: Tensor) -> Tensor:
        return bins(x, look(x).cpu())

    names = tuple(f"bin {k}" for k in range(count))
    return Embedding(extract, raw, assign, description, names, False)


def convolutional_features(train: Part) -> tuple[Features, str]:
    """Principal components of random convolutions of images, of standardised coordinates of vectors; and their name."""
    space, x = train.space, train.batch(slice(0, _LEARN)).x
    start = random_convolutions(space) if space.is_image else _raw(space, x)
    source = "random convolutional features" if space.is_image else "standardised coordinates"
    axes = pca(start(x))
    return (lambda x: axes(start(x))), f"principal components of {source}"


def with_invariants(features: tuple[Features, str], train: Part) -> tuple[Features, str]:
    """Features of vectors and, where something never varies in T, the distance from that; and what they are called.

    What learned from T need not see it, and then no distance would.  Images have no such column.
    """
    x = train.batch(slice(0, _LEARN)).x
    axes = None if train.space.is_image else never_varying(x)
    if axes is None:
        return features
    extract, description = features
    return deviations(extract, x, axes), f"{description}, and the distance from what never varies"


def _check_measurable(rows: Tensor, what: str) -> None:
    """Refuse what has no distances in float32."""
    if not rows.isfinite().all():
        raise NotDefined(f"the {what} of some examples are NaN or infinite")
    if len(rows) and rows.abs().max() > _FARTHEST:
        raise NotDefined(
            f"the {what} of some examples are beyond {_FARTHEST:g}, too far to measure"
        )


def _flat(features: Tensor) -> Tensor:
    """(n, *) or (n,) of an extractor on any device -> (n, d) float32 on the CPU."""
    if not len(features):
        return features.new_zeros(0, 1)
    return features.float().cpu().reshape(len(features), -1)


def _raw(space: Space, x: Tensor) -> Features:
    """Pixels shrunk to at most 16 x 16, or coordinates in units of their deviation: (N, p).

    More than 1,024 coordinates are projected onto as many random directions, which keep distances to
    a few percent (Johnson and Lindenstrauss 1984).
    """
    if not space.is_image:
        scaled = standardised(x)
        if space.dims <= _WIDE:
            return scaled
        axes = torch.randn(space.dims, _WIDE, generator=torch.Generator().manual_seed(0))
        return lambda x: scaled(x) @ axes.to(x) / _WIDE**0.5
    return raw_pixels
