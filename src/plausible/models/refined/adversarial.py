"""A model whose samples have a gradient plays them against a discriminator, held by its own loss."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from plausible.core.capabilities import Reparameterised, StepSampler
from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss, Player
from plausible.core.model import Generative, Model
from plausible.core.refinement import RefinementConfig
from plausible.core.schedule import at
from plausible.core.space import Batch
from plausible.models.gan.adaptive_augmentation import AdaptiveAugmentation
from plausible.models.gan.config import GANConfig
from plausible.models.gan.game import (
    AdversarialGame,
    augmentations_of,
    discriminator_of,
    trunks_of,
)
from plausible.models.gan.networks import Discriminator
from plausible.models.gan.straight_through import quantise_straight_through
from plausible.models.refined.refined import Refined

LR = 5e-4
LR_IN_STEPS = 2e-5  # of what carries noise to data in steps: at more its gradients grow without end
WEIGHT = 0.1  # of nats
WEIGHT_SQUARED = 10.0  # of squared errors, whose slope is so much smaller
_BATCH = 64  # examples at most in one update, where nobody says how many
_MOST = 8  # evaluations of a network, through which a sample can be learned
_LEADS = 0.02  # of the budget, in which the discriminator learns alone


class Opponent(nn.Module):
    """The discriminator, and how strongly what it sees is augmented."""

    def __init__(self, discriminator: Discriminator):
        super().__init__()
        self.discriminator, self.strength = discriminator, AdaptiveAugmentation()


class AgainstDiscriminator(Refined):
    """min over what draws of the generator's loss + w (own loss), against a discriminator that begins with nothing learned.

    What is judged is a sample as it is drawn, all of its noise included.

    Sources: Larsen et al. 2016, https://arxiv.org/abs/1512.09300 (VAE); Kim et al. 2024, https://arxiv.org/abs/2310.02279
    (one-step maps of diffusion).
    """

    opponent: Opponent

    @classmethod
    def refusal(cls, model: Model) -> str:
        """It needs samples with a gradient, in few evaluations."""
        if not (isinstance(model, Reparameterised) and isinstance(model, Generative)):
            return "its samples cannot be learned through"
        if model.evaluations > _MOST:
            return (
                f"a sample takes {model.evaluations} evaluations of its network, and is learned through {_MOST} at most: "
                "lower --sampling-steps"
            )
        return ""

    def begin(self, refinement: RefinementConfig) -> None:
        """The discriminator."""
        super().begin(refinement)
        if refinement.augment and not self.space.is_image:
            raise UsageError("--augment changes images, and these data are vectors")
        config = self.of_gan
        trunks = trunks_of(self.space, config)
        if trunks.batch_statistics:
            config.refuse_slope_penalties("its batch norm")
        self.opponent = Opponent(discriminator_of(trunks, self.space, config))

    @property
    def batch(self) -> int:
        """Fewer examples than many families take, because many small updates of two players learn faster."""
        return self.refinement.batch or min(super().batch, _BATCH)

    @property
    def of_gan(self) -> GANConfig:
        """The choices that it shares with a GAN."""
        asked = self.refinement
        return GANConfig(
            loss=asked.loss or "relativistic",
            penalties=asked.penalties,
            penalty_weight=asked.penalty_weight,
            penalty_weight_end=asked.penalty_weight,
            augment=asked.augment,
            architecture=asked.architecture,
            width=asked.width,
            conditional=self.conditional,
        )

    @property
    def game(self) -> AdversarialGame:
        """The losses of both sides."""
        config = self.of_gan
        return AdversarialGame(
            config, self.opponent.discriminator, self.opponent.strength,
            augmentations_of(self.space, config), self.space.is_image,
        )  # fmt: skip

    def players(self) -> Sequence[Player]:
        """The discriminator, the weights that draw, and those that do not where there are any."""
        asked, own, game, config = self.refinement, self.own_player, self.game, self.of_gan
        drawing, rest = self.drawing_and_rest()
        lr = self._falling(asked.lr or (LR_IN_STEPS if isinstance(self, StepSampler) else LR))
        whole = game.whole_batch
        found = [
            Player(
                "discriminator", self.opponent.discriminator, self.d_loss,
                lr=self._falling(asked.lr_discriminator),
                betas=(config.beta1, config.beta2),
                adapt=self.adapt_augmentation if game.adaptive else None,
                look=game.look,
                shared=self.opponent.strength,
                whole_batch=whole,
            ),
            replace(
                own, name="generator", module=drawing, loss=self.g_loss, look=game.look,
                lr=lambda progress: 0.0 if progress < _LEADS else at(lr, progress),
                betas=(config.beta1, config.beta2),
                whole_batch=whole or own.whole_batch,
            ),
        ]  # fmt: skip
        if len(rest):
            found.append(self.encoder_player(rest, lr))
        return found

    def d_loss(self, batch: Batch, clock: Clock) -> Loss:
        """The discriminator's loss on a batch of data and as many samples with the same labels."""
        y = self._labels_of(batch)
        return self.game.d_loss(self.standardise(batch.x), y, lambda: self._drawn(len(batch), y), clock)  # fmt: skip

    def g_loss(self, batch: Batch, clock: Clock) -> Loss:
        """What its samples cost, and what it has to say of data."""
        y = self._labels_of(batch)
        loss = self.game.g_loss(self.standardise(batch.x), y, lambda: self._drawn(len(batch), y))
        weight = self.likelihood_weight
        if not weight:
            return loss
        own = self.own_loss(batch, clock)
        return Loss(
            {**loss.terms, **{name: weight * term for name, term in own.terms.items()}}, own.watch
        )

    @property
    def likelihood_weight(self) -> float:
        """Of the loss of its family."""
        asked, squared = self.refinement.likelihood_weight, self.loss_per_coordinate
        weight = (WEIGHT_SQUARED if squared else WEIGHT) if asked is None else asked
        return weight if squared else weight / self.space.dims

    def adapt_augmentation(self, batch: Batch, clock: Clock) -> None:
        """Augment more or less, by what the discriminator says of a batch of validation data."""
        self.game.adapt_augmentation(self.standardise(batch.x), self._labels_of(batch))

    def _drawn(self, n: int, y: Tensor | None) -> Tensor:
        """n samples in standard units, on the grid, with their gradient."""
        assert isinstance(self, Reparameterised)
        with self.evaluating():  # as it will be drawn: no unit drops out
            x = self.standardise(self.rsample(self._to_device(self._noise(n, None)), y))
        return quantise_straight_through(x, self.space.levels) if self.space.levels else x
