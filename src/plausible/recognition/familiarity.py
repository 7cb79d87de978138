"""How far an image is from the training part, in three distances that no p(x) is asked for.

What an explicit model finds probable need not look like anything that it learned from; what is near to nothing is
strange whatever its probability.  All is in closed form and seeded, from 2,500 training images at most, so a run keeps it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial

import torch
from torch import Tensor

from plausible.core.examples import batches
from plausible.core.kmeans import kmeans_plus_plus, lloyd
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.shrink import shrunk
from plausible.recognition.patches import LARGEST, SMALLEST, PatchFeatures, patch_features

DISTANCES = ("class", "angle", "turn")
REFERENCES = 2500  # training images that are looked among, at most
_NEIGHBOUR = 5
_COMPONENTS = 128  # directions in which angles are taken
_DIRECTIONS = 64  # directions that tell classes and turns, at most
_GROUPS = 10  # of images without labels
_RIDGE = 0.01  # of the mean variance
_CHUNK = 500


@dataclass(frozen=True)
class Familiarity:
    """x -> three distances from the training part; the tensors are all that it needs.

    filters        of ``PatchFeatures``; F features.
    within, means  what makes images about the mean of their class white, (F, F), and these means there, (K, F).
    whole, centre  the same about the mean of all, (F, F), its columns by rising variance, and that mean, (F,).
    angles         directions of training images in the last 128 of these columns, (n, 128), of length 1.
    telling, places  directions (F, d) that tell a class, and its images turned, from the others, and training images there (n, d).
    """

    filters: Tensor
    within: Tensor
    means: Tensor
    whole: Tensor
    centre: Tensor
    angles: Tensor
    telling: Tensor
    places: Tensor

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) in [0, 1] -> (N, 3), float64: ``DISTANCES``.

        class  Mahalanobis' squared to the nearest class, less that to the mean of all (Ren et al. 2021,
               https://arxiv.org/abs/2106.09022).
        angle  between x and the 5th nearest training image as a chord, in whitened principal components (Sun et al.
               2022, https://arxiv.org/abs/2204.06507).
        turn   to the 5th nearest training image in the directions that tell classes and turns of images from each
               other (after Golan and El-Yaniv 2018, https://arxiv.org/abs/1805.10917).
        """
        rows = [self._of(PatchFeatures(self.filters)(few)) for few in x.split(_CHUNK)]
        return torch.cat(rows) if rows else torch.zeros(0, len(DISTANCES), dtype=torch.float64)

    def _of(self, seen: Tensor) -> Tensor:
        """Of features (n, F): (n, 3)."""
        white = (seen - self.centre) @ self.whole
        nearest = torch.cdist(seen @ self.within, self.means).double().square().amin(1)
        of_all = white.double().square().sum(1)
        angle = _neighbour(self.angles, _unit(white[:, -_COMPONENTS:]))
        turn = _neighbour(self.places, seen @ self.telling)
        return torch.stack([nearest - of_all, angle.double(), turn.double()], 1)

    def tensors(self) -> dict[str, Tensor]:
        """All of it by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @staticmethod
    def of(tensors: Mapping[str, Tensor]) -> "Familiarity | None":
        """What ``tensors`` said; None where one is missing."""
        names = [field.name for field in fields(Familiarity)]
        if not all(name in tensors for name in names):
            return None
        return Familiarity(**{name: tensors[name] for name in names})


def can_be_familiar(space: Space) -> bool:
    """Whether these distances are there for points of a space: images of at least 8 pixels a side."""
    return space.is_image and min(space.shape[1:]) >= SMALLEST


def familiarity(train: Part, seed: int = 0) -> Familiarity | None:
    """The distances from a training part, by 2,500 images of it at most; None for vectors and the smallest images.

    Images without labels are grouped by k-means first.
    """
    if not can_be_familiar(train.space):
        return None
    part = train.rows(slice(None, None, -(-len(train) // REFERENCES))).frozen(seed)
    x = torch.cat([shrunk(batch.x.float().cpu(), LARGEST) for batch in batches(part, _CHUNK)])
    look = patch_features(x, seed)
    seen = look(x)  # (n, F)
    centre = seen.mean(0)
    whole = _whitening(seen - centre)
    components = ((seen - centre) @ whole)[:, -_COMPONENTS:]
    y = _groups(components, seed) if part.y is None else part.y.cpu().unique(return_inverse=True)[1]
    means = _means(seen, y)
    within = _whitening(seen - means[y])
    telling = _telling([seen] + [look(turn(x)) for turn in _turns(x)], y)
    angles, places = _unit(components), seen @ telling
    return Familiarity(look.filters, within, means @ within, whole, centre, angles, telling, places)


def _telling(seen: list[Tensor], y: Tensor) -> Tensor:
    """Fisher's discriminant directions of classes and turns, (F, d), each in units of the deviation within them."""
    classes = int(y.max()) + 1
    rows = torch.cat(seen)
    of = torch.cat([y + k * classes for k in range(len(seen))])
    means = _means(rows, of)
    whiten = _whitening(rows - means[of])
    between = (means - means.mean(0)) @ whiten
    directions = torch.linalg.svd(between, full_matrices=False).Vh
    return whiten @ directions[: min(len(means) - 1, _DIRECTIONS)].T


def _turns(x: Tensor) -> list[Callable[[Tensor], Tensor]]:
    """Three ways to turn an image that keep its shape: by quarters, or a half turn and both mirrors."""
    if x.shape[2] == x.shape[3]:
        return [partial(torch.rot90, k=k, dims=(2, 3)) for k in (1, 2, 3)]
    return [partial(torch.flip, dims=dims) for dims in ((2,), (3,), (2, 3))]


def _groups(components: Tensor, seed: int) -> Tensor:
    """Labels of images without labels, by k-means in their leading components."""
    points = components[:, -32:]
    generator = torch.Generator().manual_seed(seed)
    count = min(_GROUPS, len(points.unique(dim=0)))
    centres = lloyd(points, kmeans_plus_plus(points, count, generator), 20)
    return torch.cdist(points, centres).argmin(1).unique(return_inverse=True)[1]


def _means(rows: Tensor, y: Tensor) -> Tensor:
    """The mean of each class: (N, F) -> (K, F)."""
    total = rows.new_zeros(int(y.max()) + 1, rows.shape[1]).index_add(0, y, rows)
    return total / torch.bincount(y).clamp(min=1)[:, None]


def _whitening(about: Tensor) -> Tensor:
    """The columns that make rows about their mean (N, F) white, ridged, by rising variance: (F, F)."""
    values, vectors = torch.linalg.eigh(about.T @ about / len(about))
    ridge = max(_RIDGE * float(values.mean()), 1e-9)
    return vectors * (values.clamp(min=0) + ridge).rsqrt()


def _unit(rows: Tensor) -> Tensor:
    return rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-9)


def _neighbour(references: Tensor, rows: Tensor) -> Tensor:
    """The distance to the 5th nearest, or the farthest of fewer: (n, d), (m, d) -> (m,)."""
    k = min(_NEIGHBOUR, len(references))
    return torch.cdist(rows, references).topk(k, 1, largest=False).values[:, -1]
