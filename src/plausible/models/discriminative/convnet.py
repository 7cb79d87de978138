"""A convolutional classifier, p(y | x): the strongest of the discriminative models, and the judge of samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss, Player
from plausible.core.model import Model, models
from plausible.core.schedule import cosine
from plausible.core.space import Batch, Space
from plausible.nn.networks import ConvEncoder, activation, initialise, perceptron


@models
class ConvNet(Model):
    """p(y | x) = softmax(W h(x) + b): strided convolutions, a penultimate layer h, a linear map.

    Vectors and images under 8 pixels get a perceptron instead of convolutions.  The weights are
    averaged over training, which at this size is worth more than any regulariser but dropout.
    Sources: LeCun et al. 1998, doi:10.1109/5.726791; Srivastava et al. 2014 (dropout).
    """

    name: ClassVar[str] = "convnet"
    place: ClassVar[tuple[str, ...]] = ("discriminative, p(y | x)",)
    kinds: ClassVar[dict[str, str]] = {"log_posterior": "="}

    @dataclass(frozen=True)
    class Config(Model.Config):
        """A convolutional classifier."""

        width: int | None = None
        """Channels at full size; by default what suits the data."""
        features: int = 64
        """Units of the penultimate layer."""
        dropout: float = 0.3
        """Share of them dropped in training."""
        lr: float = 2e-3
        """Learning rate at the start; it falls to 1% of this."""
        ema: float = 100_000
        """Half-life, in training examples, of the averaged weights; at most 5% of those seen."""

        def __post_init__(self) -> None:
            super().__post_init__()
            if not 0 <= self.dropout < 1:
                raise UsageError(
                    f"--dropout must be at least 0 and less than 1, not {self.dropout}"
                )
            if min(self.width or 1, self.features) < 1:
                raise UsageError("--width and --features must be at least 1")
            if not (self.lr > 0 and self.ema > 0):
                raise UsageError("--lr and --ema must be more than 0")

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        config = config or self.Config()
        super().__init__(space, config)
        space.need_classes("a classifier")
        body: nn.Module
        if space.is_image and min(space.shape[1:]) >= 8:
            analysis = ConvEncoder(space.shape, config.width)
            body, inputs = analysis, analysis.features
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
        right = (logits.argmax(1) == batch.y).float().mean()
        return Loss({"nll": cross_entropy(logits, batch.y, reduction="none")}, {"accuracy": right})

    def features(self, x: Tensor) -> Tensor:
        """h(x), the penultimate layer before its rectifier: x (N, *shape) in data units -> (N, d)."""
        return self.body(self.standardise(x.to(self.offset.device)))

    @torch.no_grad()
    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x) in nats: x (N, *shape) in data units -> (N, classes)."""
        return self.head(self.features(x)).float().log_softmax(1)
