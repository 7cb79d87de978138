"""The game of a discriminator with whatever draws: both losses, of data and of samples that somebody else makes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from plausible.core.game import Clock, Loss
from plausible.core.reading import D_FAKE, D_REAL
from plausible.core.schedule import at, cosine
from plausible.core.space import Space
from plausible.models.gan import augment
from plausible.models.gan.adaptive_augmentation import AdaptiveAugmentation
from plausible.models.gan.architectures import Trunks, architectures, default_architecture
from plausible.models.gan.config import GANConfig
from plausible.models.gan.losses import RELATIVE, losses
from plausible.models.gan.networks import Discriminator, DOutput
from plausible.models.gan.own_networks import OwnDiscriminator
from plausible.models.gan.penalties import CriticAt, PenaltyInput, penalties

Draw = Callable[[], Tensor]
"""As many samples as there are data, (N, *shape) in standard units as D sees them: on the grid, as data are."""


@dataclass(frozen=True)
class AdversarialGame:
    """D against samples, by one of the losses, with penalties on D and augmentation of all that it sees.

    Who draws is not known here: ``d_loss`` and ``g_loss`` are told how.  All x are in standard units.

    augmentations  the random changes of all images that D sees, each with the probability ``strength.p``.
    """

    config: GANConfig
    discriminator: Discriminator | OwnDiscriminator
    strength: AdaptiveAugmentation
    augmentations: tuple[str, ...]
    is_image: bool

    def d_loss(self, real: Tensor, y: Tensor | None, draw: Draw, clock: Clock) -> Loss:
        """The discriminator's loss on data (N, *shape) and as many samples with the same labels y (N,)."""
        if not torch.compiler.is_compiling():
            self._warm_up_augmentation(clock)
        with torch.no_grad():
            fake = draw()
        terms: dict[str, Tensor] = {}
        on_real: CriticAt | DOutput
        on_fake: CriticAt | DOutput
        if self.config.penalties and clock.update % self.config.penalty_every == 0:

            def critic(x: Tensor) -> DOutput:
                return self.d_output(x, y)

            on_real, on_fake = CriticAt(critic, real), CriticAt(critic, fake)
            inputs = PenaltyInput(critic, on_real, on_fake, self._perturb)
            weights = self.config.penalty_weight, self.config.penalty_weight_end
            weight = at(cosine(*weights, until=self.config.burn_in), clock.progress)
            weight *= self.config.penalty_every
            for name in self.config.penalties:
                terms[name] = weight * penalties[name](inputs)
        elif self.discriminator.whole_batch:  # data and samples are batches of their own
            on_real, on_fake = self.d_output(real, y), self.d_output(fake, y)
        else:
            both = None if y is None else torch.cat([y, y])  # (N,) -> (2 N,)
            logit, labels = self.d_output(torch.cat([real, fake]), both)  # (2 N,), (2 N, classes)
            n = len(logit) // 2  # fewer than the batch where D judges several at once
            on_real, on_fake = DOutput(logit[:n], labels[:n]), DOutput(logit[n:], labels[n:])
        costs = losses[self.config.loss](on_real.logit, on_fake.logit)
        terms = {"game": costs.discriminator, **terms}
        if y is not None and self.config.condition == "auxiliary":
            terms["labels"] = _nll(on_real, y) + _nll(on_fake, y)
        watch: dict[str, Tensor] = {D_REAL: costs.real.mean(), D_FAKE: costs.fake.mean()}
        if self.augmentations:
            watch["augment"] = self.strength.p.clone()
        return Loss(terms, watch)

    def g_loss(self, real: Tensor, y: Tensor | None, draw: Draw) -> Loss:
        """The loss of who draws, on as many samples as there are data, with their labels."""
        beside: Tensor | None = None
        if self.adaptive or self.config.loss in RELATIVE:
            with torch.no_grad():
                beside = self.d_output(real, y).logit
        on_fake = self.d_output(draw(), y)
        if beside is None:
            beside = torch.zeros_like(on_fake.logit)  # which no such loss of G reads
        else:  # D is the one that ``adapt_augmentation`` will ask, and has not just learnt this very batch
            self.strength.observe(beside, on_fake.logit)
        cost = losses[self.config.loss](beside, on_fake.logit)
        terms = {"game": cost.generator}
        if y is not None and self.config.condition == "auxiliary":
            terms["labels"] = _nll(on_fake, y)
        return Loss(terms)

    def look(self, clock: Clock) -> None:
        """What a compiled loss takes as it is: how strong the augmentation is, and whether it is at all."""
        self._warm_up_augmentation(clock)
        self.strength.look()

    @torch.no_grad()
    def adapt_augmentation(self, validation: Tensor, y: Tensor | None) -> None:
        """Augment more or less, by what D says of validation data (N, *shape)."""
        self.strength.update(self.d_output(validation, y).logit)

    def d_output(self, x: Tensor, y: Tensor | None) -> DOutput:
        """D(T(x), y), T the augmentation: x (N, *shape)."""
        if self.augmentations and self.strength.active:
            x = augment.augment(x, self.augmentations, self.strength.p)
        output: DOutput = self.discriminator(x, y)
        return output

    @property
    def adaptive(self) -> bool:
        """Whether the strength of the augmentation follows what D says of validation data."""
        return bool(self.augmentations) and self.config.augment_strength is None

    @property
    def whole_batch(self) -> bool:
        """Whether what an example costs depends on the others."""
        grouped = self.config.loss == "relativistic-average" or self.config.pack > 1
        return self.discriminator.whole_batch or grouped

    def _perturb(self, x: Tensor) -> Tensor:
        """A change of x that D should not mind: a shift of an image, a little noise on a vector."""
        return augment.translation(x) if self.is_image else x + torch.randn_like(x) / 10

    def _warm_up_augmentation(self, clock: Clock) -> None:
        """A fixed strength grows from 0 during the burn-in."""
        if self.config.augment_strength is not None:
            burn_in = cosine(0.0, self.config.augment_strength, until=self.config.burn_in)
            self.strength.p.fill_(at(burn_in, clock.progress))


def trunks_of(space: Space, config: GANConfig) -> Trunks:
    """The networks of both players on a space, as the architecture of a config has them."""
    embedding = config.latent if config.conditional else 0
    first = space.shape[0] * config.pack + _label_channels(space, config)
    seen = Space((first, *space.shape[1:]), space.levels)
    architecture = config.architecture or default_architecture(space)
    return architectures[architecture](space, seen, config.latent + embedding, config.width)


def discriminator_of(trunks: Trunks, space: Space, config: GANConfig) -> Discriminator:
    """D on a trunk, with its head and what it is told of labels."""
    return Discriminator(
        trunks,
        space.classes if config.conditional else 0,
        config.condition,
        label_shape=_label_shape(space),
        pack=config.pack,
        minibatch_std=config.minibatch_std,
        spectral_norm=config.spectral_norm,
    )


def augmentations_of(space: Space, config: GANConfig) -> tuple[str, ...]:
    """The random changes of all that D sees: as asked for, or by default those that suit a space."""
    if config.augment is not None:
        return config.augment
    large = default_architecture(space) != "mlp"
    return ("color", "translation", "cutout") if large else ()


def _label_shape(space: Space) -> tuple[int, ...]:
    """Of the label's embedding that D sees beside x."""
    return (1, *space.shape[1:]) if space.is_image else (16,)


def _label_channels(space: Space, config: GANConfig) -> int:
    """What that embedding adds to the channels of one input of D."""
    concatenated = config.conditional and config.condition == "concatenation"
    return _label_shape(space)[0] if concatenated else 0


def _nll(output: CriticAt | DOutput, y: Tensor) -> Tensor:
    return cross_entropy(output.labels, y, reduction="none")  # (N, classes) -> (N,)
