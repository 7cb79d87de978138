"""What is measured of a model while it trains, on data and noise that stay the same."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from plausible.core.capabilities import Latent
from plausible.core.model import Generative, Model
from plausible.core.registry import Registry
from plausible.core.space import Batch
from plausible.data.part import Data, Part
from plausible.evaluation.embedding import Embedding, fit
from plausible.evaluation.evaluation_set import Embedded
from plausible.evaluation.features import pca
from plausible.evaluation.metrics.distances import frechet
from plausible.training import Training

POINTS = 256  # samples, and as many real examples of each part
_LEARN = 2000  # training examples that fix how points are seen
_DIMS = 32


@dataclass(frozen=True, eq=False)
class ProbeReference:
    """What every look of one training compares with.

    train, held   real examples, of the training and the validation part.
    z, y          noise and labels of the samples, on the CPU; None where the model has none.
    known, other  examples of the training part that fix how points are seen, and real ones it did not see.
    """

    train: Batch
    held: Batch
    z: Tensor | None
    y: Tensor | None
    known: Part
    other: Part
    seed: int

    @cached_property
    def embedding(self) -> Embedding:
        """How points are seen, fixed by the training part."""
        features = pca(self.known.as_batch().x, _DIMS), "principal components"
        return fit(self.known, _LEARN, features=features, seed=self.seed)

    @cached_property
    def seen(self) -> Embedded:
        """The training part through the embedding."""
        return self.embedding.embed(self.known)

    @cached_property
    def beside(self) -> Embedded:
        """Real examples that the embedding did not see, through it."""
        return self.embedding.embed(self.other)

    @cached_property
    def shares(self) -> Tensor:
        """Of the training part in each mode, (K,)."""
        return torch.bincount(self.seen.modes, minlength=len(self.embedding.names)) / len(self.seen)

    @cached_property
    def distance(self) -> float:
        """Frechet distance to the training part of as many real examples as there are samples."""
        return frechet(self.beside.features[:POINTS], self.seen.features)

    @cached_property
    def apart(self) -> float:
        """Mean distance between two real examples."""
        return torch.pdist(self.beside.raw).mean().item()


def reference(model: Model, data: Data, seed: int) -> ProbeReference:
    """Made once for a training, from its seed."""
    generator = torch.Generator().manual_seed(seed)
    train, held = data.train.frozen(seed).to("cpu"), data.validation.frozen(seed + 1).to("cpu")
    z = y = None
    if isinstance(model, Latent) and isinstance(model, Generative):
        z, y = model.latent(POINTS, generator), model.labels(POINTS, None, generator)
    device = model.offset.device
    return ProbeReference(
        _batch(train.every_kth(POINTS), device), _batch(held.every_kth(POINTS), device), z, y,
        train.every_kth(_LEARN), held.every_kth(2 * POINTS), seed,
    )  # fmt: skip


def _batch(part: Part, device: torch.device) -> Batch:
    batch = part.rows(slice(0, POINTS)).as_batch()
    return Batch(batch.x.to(device), None if batch.y is None else batch.y.to(device))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a training.

    raw      the model as it plays, in training mode; who would change it (batch norm does) puts it back.
    model    the one whose weights a run saves, in evaluation mode.
    players  {name: weights} of those who play.
    """

    raw: Model
    model: Model
    players: Mapping[str, list[Tensor]]
    reference: ProbeReference

    def labels(self, batch: Batch) -> Tensor | None:
        """Those of a batch, where the model is told them."""
        return batch.y if self.raw.conditional else None


Look = Callable[[Snapshot], Mapping[str, float]]


@dataclass(frozen=True)
class Sensor:
    """A registered look, and the verb that the model must have (None: any)."""

    name: str
    look: Look
    needs: Any = None


looks: Registry[Any] = Registry("look")
"""Every look by name."""


def look(needs: Any = None) -> Callable[[Look], Look]:
    """Register f(snapshot) -> {what: number}; ``needs`` is a verb's protocol or class."""

    def register(function: Look) -> Look:
        looks(Sensor(function.__name__.replace("_", " "), function, needs))
        return function

    return register


def looked(training: Training[Any], beside: ProbeReference, seed: int) -> dict[str, float]:
    """{what: number} of every look that the model's verbs allow; training goes on as if nobody had looked."""
    snapshot = Snapshot(training.raw, training.averaged, training.weights, beside)
    found: dict[str, float] = {}
    with _seeded(training.device, seed):
        for sensor in looks.values():
            if sensor.needs is None or isinstance(snapshot.raw, sensor.needs):
                found |= sensor.look(snapshot)
    return found


@contextmanager
def _seeded(device: torch.device, seed: int) -> Iterator[None]:
    """What is drawn inside begins at the seed, and what is drawn after goes on as before."""
    cuda = device.type == "cuda"
    with torch.random.fork_rng([device] if cuda else []):
        # not torch.manual_seed, which on the CPU keeps a line for every device that there might be
        torch.default_generator.manual_seed(seed)
        if cuda:
            torch.cuda.manual_seed(seed)
        yield
