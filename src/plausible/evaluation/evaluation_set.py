"""What an evaluation looks at: training part T, held-out part H and samples G, seen once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from plausible.core.errors import NotDefined
from plausible.core.model import Model
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.critic.critique import Critique
from plausible.evaluation.critic.effort import Effort
from plausible.evaluation.features import Features


@dataclass(frozen=True, eq=False)
class Embedded:
    """n points as every measure sees them.

    part      the points themselves.
    features  (n, d) float32: what the extractor says of them.
    raw       (n, p) float32: pixels, shrunk to at most 16 x 16, or standardised coordinates; no
              learning went into them.
    modes     (n,) int64: the class or bin of each.
    nearest_train  distances (n, 2) to the two nearest training examples and their rows, when known.
    views     the points as they are compared in search of copies, see ``likeness``, when known.
    likest_train   as ``nearest_train``, by the distance of ``likeness``.
    """

    part: Part
    features: Tensor
    raw: Tensor
    modes: Tensor
    nearest_train: tuple[Tensor, Tensor] | None = None
    views: tuple[Tensor, ...] | None = None
    likest_train: tuple[Tensor, Tensor] | None = None

    def __len__(self) -> int:
        return len(self.part)

    def __getitem__(self, rows: slice | Tensor) -> "Embedded":
        return Embedded(
            self.part.rows(rows),
            self.features[rows],
            self.raw[rows],
            self.modes[rows],
            self.nearest_train and (self.nearest_train[0][rows], self.nearest_train[1][rows]),
            self.views and tuple(view[rows] for view in self.views),
            self.likest_train and (self.likest_train[0][rows], self.likest_train[1][rows]),
        )


@dataclass(frozen=True)
class Likeness:
    """When two points are alike, as the training part alone says; ratios and distances of ``likeness``.

    scales   of each view: the median distance of a training example to its nearest other one.
    copied   a copy of a training example is less than this times as far from it as from held-out data.
    seen     a copy of a held-out example is less than this times as far from it as from training data.
    doubled  of two examples of T and H, less than this times as far from the nearest as from the next.
    repeated two points no farther apart than this repeat one another.
    """

    scales: tuple[float, ...]
    copied: float
    seen: float
    doubled: float
    repeated: float


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """T, H and G with |G| = |H|, and what else a measure may ask for.

    train      what the generator (and the extractor) learned from.
    heldout    real data that neither has seen.
    samples    what is judged; in the second of ``halves`` held-out data take this place.
    names      of the modes: class names, or bin numbers.
    labelled   whether the modes are classes (and not bins of k-means).
    extract    x (N, *shape) in data units -> (N, d), the extractor itself.
    feature_description   what the features are, for people.
    model      where the samples come from; None for samples of another program.
    likeness   when two points are alike, when known.
    spare      held-out data beyond those that samples are compared with: a sample may be one of them.
    critiques   {aspect: what critics say of the samples}, see ``critic``, when known; {} where none is to be asked.
    efforts     how many updates critics need, see ``updates_to_accuracy``, when known; () where none is to learn.
    """

    space: Space
    train: Embedded
    heldout: Embedded
    samples: Embedded
    names: tuple[str, ...]
    labelled: bool
    extract: Features
    feature_description: str = ""
    model: Model | None = None
    seed: int = 0
    likeness: Likeness | None = None
    spare: Embedded | None = None
    critiques: Mapping[str, tuple[Critique, ...]] | None = None
    efforts: tuple[Effort, ...] | None = None

    def generator(self) -> torch.Generator:
        """A fresh generator of the set's seed: every measure draws the same numbers again."""
        return torch.Generator().manual_seed(self.seed)

    def halves(self) -> tuple["EvaluationSet", "EvaluationSet"]:
        """(samples against half of H, the other half of H against it), at equal numbers.

        What a measure says of the second is what a perfect generator would get in the first.
        """
        n = min(len(self.heldout) // 2, len(self.samples))
        if n < 2:
            raise NotDefined(
                f"{len(self.samples)} samples cannot be compared with each half of "
                f"{len(self.heldout)} held-out examples: 2 and 4 are needed"
            )
        reference, rest = self.heldout[slice(0, n)], self.heldout[slice(n, 2 * n)]
        ours = replace(self, heldout=reference, samples=self.samples[slice(0, n)])
        return ours, replace(
            self, heldout=reference, samples=rest, model=None, critiques={}, efforts=()
        )
