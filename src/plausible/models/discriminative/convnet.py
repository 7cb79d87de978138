"""A convolutional classifier, p(y | x): the strongest discriminative model, and what samples are classified by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from plausible.core.bounds import BELOW_ONE, COUNT, POSITIVE
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import Kind
from plausible.core.model import Model, models
from plausible.core.remedy import Remedy, change, smaller
from plausible.core.schedule import cosine
from plausible.core.space import Batch, Space
from plausible.nn.networks import ConvEncoder, activation, channels, initialise, perceptron


def width(convnet: Model) -> int:
    """The channels at full size, or the units of the perceptron, that the run has."""
    space, chosen = convnet.space, getattr(convnet.config, "width", None)
    of_images = space.is_image and min(space.shape[1:]) >= 8
    return chosen or (channels(space.shape)[0] if of_images else 256)


@models
class ConvNet(Model):
    """p(y | x) = softmax(W h(x) + b): strided convolutions, a penultimate layer h, a linear map.

    Vectors and images under 8 pixels get a perceptron instead of convolutions.  The weights are
    averaged over training, which at this size is worth more than any regulariser but dropout.
    Sources: LeCun et al. 1998, doi:10.1109/5.726791; Srivastava et al. 2014 (dropout).
    """

    name: ClassVar[str] = "convnet"
    place: ClassVar[tuple[str, ...]] = ("discriminative, p(y | x)",)
    family_kinds: ClassVar[Mapping[str, Kind]] = {"log_posterior": Kind.EXACT}
    remedies: ClassVar[Mapping[str, Sequence[Remedy]]] = {
        "overfitting": (
            change("dropout", lambda model, now: 0.5 if now < 0.5 else None),
            smaller("width", width),
        )
    }

    @dataclass(frozen=True)
    class Config(Model.Config):
        """A convolutional classifier."""

        width: Annotated[int, COUNT] | None = None
        """The channels at full size; by default what suits the data."""
        features: Annotated[int, COUNT] = 64
        """The number of units of the penultimate layer."""
        dropout: Annotated[float, BELOW_ONE] = 0.3
        """The share of the penultimate units that training drops at random."""
        lr: Annotated[float, POSITIVE] = 2e-3
        """The learning rate at the start; it falls to 1% of this."""
        ema: Annotated[float, POSITIVE] = 100_000
        """The half-life of the averaged weights in training examples; at most 5% of those seen."""

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        config = config or self.Config()
        super().__init__(space, config)
        space.need_classes("a classifier")
        body: nn.Module
        if space.is_image and min(space.shape[1:]) >= 8:
            encoder = ConvEncoder(space.shape, config.width)
            body, inputs = encoder, encoder.features
        else:
            inputs = config.width or 256
            body = nn.Sequential(nn.Flatten(), perceptron(space.dims, inputs, inputs), activation())
        self.body = initialise(nn.Sequential(body, nn.Linear(inputs, config.features)))
        self.head = nn.Sequential(
            activation(), nn.Dropout(config.dropout), nn.Linear(config.features, space.classes)
        )

    def players(self) -> Sequence[Player]:
        """One player that moves every weight."""
        lr = cosine(self.config.lr, self.config.lr / 100)
        return [Player("classifier", self, self.loss, lr=lr, ema=self.config.ema)]

    def loss(self, batch: Batch, clock: Clock) -> Loss:
        """-log p(y | x)."""
        assert batch.y is not None
        logits = self.head(self.features(batch.x)).float()  # (N, classes)
        accuracy = (logits.argmax(1) == batch.y).float().mean()
        return Loss(
            {"nll": cross_entropy(logits, batch.y, reduction="none")}, {"accuracy": accuracy}
        )

    def features(self, x: Tensor) -> Tensor:
        """h(x), the penultimate layer before its rectifier: x (N, *shape) in data units -> (N, d)."""
        h: Tensor = self.body(self.standardise(x.to(self.offset.device)))
        return h

    @torch.no_grad()
    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x) in nats: x (N, *shape) in data units -> (N, classes)."""
        logits: Tensor = self.head(self.features(x))  # (N, classes)
        return logits.float().log_softmax(1)
