"""Probes: what is measured of a model while it trains, on data and noise that stay the same."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from plausible.core.capabilities import Latent
from plausible.core.device import seeded
from plausible.core.errors import NotDefined
from plausible.core.finding import probes
from plausible.core.model import Generative, Model
from plausible.core.reading import Reading, need_reading
from plausible.core.snapshot import Snapshot
from plausible.core.space import Batch
from plausible.data.part import Data, Part
from plausible.evaluation.embedding import Embedding, fit_embedding
from plausible.evaluation.evaluation_set import Embedded
from plausible.evaluation.features import pca
from plausible.evaluation.metrics.distances import frechet
from plausible.evaluation.reach import Reach, reach
from plausible.sampling.latent import decode_on_levels
from plausible.training import Training

POINTS = 256  # samples, and as many real examples of each part
_LEARN = 2000  # training examples that fix the embedding
_DIMS = 32
_ENOUGH = 40  # real examples of each part, below which samples have nothing to be compared with


@dataclass(frozen=True, eq=False)
class ProbeReference:
    """What every probe of one training compares with.

    train, validation  real examples of each part, where the model is.
    z, y               noise and labels of the samples, on the CPU; None where the model has none.
    train_part         examples of the training part that fix the embedding,
    validation_part    and of the validation part, which it does not know; on the CPU.
    """

    train: Batch
    validation: Batch
    z: Tensor | None
    y: Tensor | None
    train_part: Part
    validation_part: Part
    seed: int

    @cached_property
    def embedding(self) -> Embedding:
        """How points are compared, fixed by the training part."""
        features = pca(self.train_part.as_batch().x, _DIMS), "principal components"
        return fit_embedding(self.train_part, _LEARN, features=features, seed=self.seed)

    @cached_property
    def embedded_train(self) -> Embedded:
        """The training part through the embedding."""
        return self.embedding.embed(self.train_part)

    @cached_property
    def embedded_validation(self) -> Embedded:
        """The validation part through it."""
        return self.embedding.embed(self.validation_part)

    @cached_property
    def mode_shares(self) -> Tensor:
        """Of the training part in each mode, (K,)."""
        modes = self.embedded_train.modes
        return torch.bincount(modes, minlength=len(self.embedding.names)) / len(modes)

    @cached_property
    def reach(self) -> Reach:
        """Where real data are, as the training part says."""
        return reach(self.embedded_train.raw, self.train_part.space.is_image)

    @cached_property
    def validation_misses(self) -> Tensor:
        """Which examples of the validation part are farther away, (n,) bool."""
        return self.reach.misses(self.embedded_validation.raw)

    @cached_property
    def frechet(self) -> float:
        """Frechet distance to the training part of as many real examples as there are samples."""
        return frechet(self.embedded_validation.features[:POINTS], self.embedded_train.features)

    @cached_property
    def pairwise_distance(self) -> float:
        """Mean distance between two real examples."""
        return torch.pdist(self.embedded_validation.raw).mean().item()


@dataclass(frozen=True, eq=False)
class ReferencedSnapshot(Snapshot):
    """A snapshot with all that a probe of samples compares them with."""

    reference: ProbeReference

    @cached_property
    def samples(self) -> Embedded | None:
        """Those of the z that stay the same, by the weights that a run saves, through the embedding.

        None where they are not finite, or real examples too few to compare them with; ``NotDefined`` where they
        are too far away to be measured.
        """
        model, reference = self.model, self.reference
        assert isinstance(model, Latent)
        assert reference.z is not None
        if min(len(reference.validation_part), len(reference.train_part)) < _ENOUGH:
            return None
        x = model.space.quantise(decode_on_levels(model, reference.z, reference.y)).cpu()
        if not x.isfinite().all():
            return None
        values = model.space.codes(x).to(torch.uint8) if model.space.levels else x  # (n, *shape)
        return reference.embedding.embed(Part(values, None, model.space))


def probe_reference(model: Model, data: Data, seed: int) -> ProbeReference:
    """Made once for a training, from its seed."""
    generator = torch.Generator().manual_seed(seed)
    train = data.train.frozen(seed).to("cpu")
    validation = data.validation.frozen(seed + 1).to("cpu")
    z = y = None
    if isinstance(model, Latent) and isinstance(model, Generative):
        z, y = model.latent(POINTS, generator), model.labels(POINTS, None, generator)
    device = model.offset.device
    return ProbeReference(
        _batch(train.every_kth(POINTS), device), _batch(validation.every_kth(POINTS), device), z, y,
        train.every_kth(_LEARN), validation.every_kth(2 * POINTS), seed,
    )  # fmt: skip


def _batch(part: Part, device: torch.device) -> Batch:
    batch = part.rows(slice(0, POINTS)).as_batch()
    return Batch(batch.x.to(device), None if batch.y is None else batch.y.to(device))


def run_probes(
    training: Training[Any], reference: ProbeReference, seed: int
) -> dict[Reading, float]:
    """{reading: number} of every probe that the model's capabilities allow; training goes on as if there had been none.

    A probe that raises ``NotDefined`` says nothing this time.
    """
    model, weights = training.played()
    snapshot = ReferencedSnapshot(
        model, training.averaged, weights,
        reference.train, reference.validation, reference,
    )  # fmt: skip
    readings: dict[Reading, float] = {}
    with seeded(seed, training.device):
        for rule in probes.values():
            if not rule.applies(snapshot.raw):
                continue
            try:
                readings |= rule.function(snapshot)
            except NotDefined:
                continue
    for name in readings:
        need_reading(name)
    return readings
