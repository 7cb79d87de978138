"""Generative adversarial network: G learns to draw, D learns to tell draws from data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Generator as Random
from torch import Tensor, nn

from plausible.core.errors import UsageError
from plausible.core.examples import Examples
from plausible.core.game import Clock, Loss, Player
from plausible.core.model import Generative, models
from plausible.core.preset import Preset
from plausible.core.schedule import Schedule, cosine
from plausible.core.space import Batch, Space, by_label
from plausible.data.flat import flat_share
from plausible.data.symmetries import check_symmetries, symmetrised
from plausible.models.gan.adaptive_augmentation import AdaptiveAugmentation
from plausible.models.gan.architectures import data_decide, default_architecture
from plausible.models.gan.config import GANConfig
from plausible.models.gan.game import (
    AdversarialGame,
    augmentations_of,
    discriminator_of,
    trunks_of,
)
from plausible.models.gan.inversion import SEARCH, SHORT, Search, invert
from plausible.models.gan.losses import losses
from plausible.models.gan.networks import Discriminator, Generator
from plausible.models.gan.own_networks import (
    OwnDiscriminator,
    OwnGenerator,
    refuse_choices,
)
from plausible.models.gan.presets import presets
from plausible.models.gan.remedies import REMEDIES
from plausible.models.gan.straight_through import quantise_straight_through

FLAT = 0.25  # of neighbouring pixels of one colour, from which images get a palette; photographs have less than a tenth
_AT_ONCE = 16  # x whose z are searched for together


@models
class GAN(Generative):
    """min_G max_D E log D(x) + E log(1 - D(G(z))), z ~ N(0, I), and its better-behaved relatives.

    Two players, the discriminator first.  By default the relativistic loss with both gradient
    penalties, which has a local convergence guarantee and needs no batch statistics.

    ``presets`` has the published recipes; presets.py and docs/gan.md say what was measured of them.

    The default, measured (benchmarks/results/gan_mnist.json, seeds 0 to 2, 2 cores): Frechet distance
    1.1 to 1.4 times that of real data on MNIST after 8 minutes, 4.0 to 5.7 on Fashion-MNIST.

    Sources: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661; Huang et al. 2024,
    https://arxiv.org/abs/2501.05441.
    """

    name: ClassVar[str] = "gan"
    place: ClassVar[tuple[str, ...]] = ("generative, p(x) or p(x | y)", "implicit", "direct")
    remedies = REMEDIES
    presets: ClassVar[Mapping[str, Preset]] = presets
    Config = GANConfig
    config: GANConfig

    def __init__(
        self,
        space: Space,
        config: GANConfig | None = None,
        *,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
    ):
        """Networks of one's own take the places of those of the architecture: see ``own_networks``."""
        config = config or GANConfig()
        super().__init__(space, config)
        given = {"generator": generator, "discriminator": discriminator}
        self.own_networks = {name: net for name, net in given.items() if net is not None}
        refuse_choices(config, self.own_networks)
        classes = space.classes if config.conditional else 0
        embedding = config.latent if config.conditional else 0
        self.architecture = config.architecture or default_architecture(space)
        if self.batch % config.pack:
            raise UsageError(
                f"--batch {self.batch} cannot be packed in groups of --pack {config.pack}"
            )
        trunks = trunks_of(space, config)
        self.generator: Generator | OwnGenerator = (
            Generator(trunks, classes, embedding)
            if generator is None
            else OwnGenerator(generator, space, config)
        )
        self.discriminator: Discriminator | OwnDiscriminator = (
            discriminator_of(trunks, space, config)
            if discriminator is None
            else OwnDiscriminator(discriminator, space, config)
        )
        if trunks.batch_statistics if discriminator is None else self.discriminator.whole_batch:
            config.refuse_slope_penalties("its batch norm")
        self.augment = augmentations_of(space, config)
        if self.augment and not space.is_image:
            raise UsageError("--augment changes images, and these data are vectors")
        check_symmetries(config.symmetries or (), space)
        self.strength = AdaptiveAugmentation()

    @property
    def decided(self) -> GANConfig:
        """Its config with the networks that were chosen for its space."""
        return (
            self.config
            if self.own_networks
            else replace(self.config, architecture=self.architecture)
        )

    @classmethod
    def as_chosen(cls, kept: Mapping[str, Any], space: Space) -> Mapping[str, Any]:
        """No networks where they are today's default, whatever the data are."""
        chosen = kept["architecture"]
        default = chosen == default_architecture(space) and not data_decide(space)
        return {**kept, "architecture": None if default else chosen}

    @classmethod
    def decided_by(
        cls, config: GANConfig, space: Space, train: Examples
    ) -> tuple[GANConfig, tuple[str, ...]]:
        """A palette where the default networks are those of large images, and these are in colour and flat in good part."""
        if config.architecture is not None or not data_decide(space):
            return config, ()
        share = flat_share(train)
        if share < FLAT:
            return config, ()
        note = (
            f"in half of the images at least {share:.0%} of neighbouring pixels have the same colour: each is drawn "
            f"from a palette of its own (--architecture chooses)"
        )
        return replace(config, architecture="palette"), (note,)

    @property
    def default_batch(self) -> int:
        """Half as many with antialiased networks and a palette, of which more updates are worth more."""
        few = self.architecture in ("antialiased", "palette") and not self.own_networks
        return 32 if few else 64

    @property
    def default_steps(self) -> int:
        """More for vectors: their rounds are short, and their modes may be narrow."""
        return super().default_steps if self.space.is_image else 10_000

    def players(self) -> Sequence[Player]:
        """The discriminator, then the generator, whose weights are averaged."""
        config = self.config
        end = config.beta2 if config.beta2_end is None else config.beta2_end
        beta2 = cosine(config.beta2, end, until=config.burn_in)
        betas: tuple[Schedule, Schedule] = (config.beta1, beta2)
        game = self.game
        return [
            Player(
                "discriminator",
                self.discriminator,
                self.d_loss,
                updates=config.updates,
                lr=self._lr_schedule(config.lr_discriminator or config.lr),
                betas=betas,
                project=self._clip if config.clip else None,
                adapt=self.adapt_augmentation if game.adaptive else None,
                look=game.look,
                shared=self.strength,
                whole_batch=game.whole_batch,
            ),
            Player(
                "generator",
                self.generator,
                self.g_loss,
                lr=self._lr_schedule(config.lr),
                betas=betas,
                look=game.look,
                ema=config.ema,
                whole_batch=game.whole_batch,
            ),
        ]

    @property
    def game(self) -> AdversarialGame:
        """Its losses, whoever draws."""
        return AdversarialGame(
            self.config, self.discriminator, self.strength, self.augment, self.space.is_image
        )

    def d_loss(self, batch: Batch, clock: Clock) -> Loss:
        """The discriminator's loss on a batch of data and as many samples with the same labels."""
        y = self._labels_of(batch)
        return self.game.d_loss(self._real(batch), y, lambda: self._draw(len(batch), y), clock)

    def g_loss(self, batch: Batch, clock: Clock) -> Loss:
        """The generator's loss on as many samples as the batch has examples, with its labels."""
        y = self._labels_of(batch)
        return self.game.g_loss(self._real(batch), y, lambda: self._draw(len(batch), y))

    def adapt_augmentation(self, batch: Batch, clock: Clock) -> None:
        """Augment more or less, by what D says of a batch of validation data."""
        self.game.adapt_augmentation(self._real(batch), self._labels_of(batch))

    def latent(self, n: int, generator: Random | None = None) -> Tensor:
        """n draws of z ~ N(0, I), (n, latent), on the CPU."""
        return torch.randn(n, self.config.latent, generator=generator)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """G(z, y) in data units, differentiable and off the grid: z (N, latent) -> (N, *shape)."""
        return self.restore(self.generator(z, y))

    @torch.no_grad()
    def encode(
        self,
        x: Tensor,
        y: Tensor | int | None = None,
        generator: Random | None = None,
        *,
        mean: bool = False,
    ) -> Tensor:
        """The z whose G(z, y) is nearest to x, searched for: x (N, *shape) in data units -> (N, latent).

        Few of x are ever drawn exactly: ``decode`` it to see what is left; ``mean`` changes nothing.  A conditional
        model needs y.  The generator draws where the search begins, see ``inversion``.
        """
        return self._inverted(x, self.labels_of(x, y), generator)[0]

    @torch.no_grad()
    def reconstruct(self, x: Tensor, y: Tensor | int | None = None) -> Tensor:
        """G(z, y) of the z nearest to x, as it would be drawn: (N, *shape) in data units -> the same, on the grid."""
        labels = self.labels_of(x, y)
        z = self.encode(x, labels, Random().manual_seed(0))
        with self.evaluating():
            return self.space.quantise(self.decode(z, labels))

    @torch.no_grad()
    def closest_labels(self, x: Tensor, generator: Random | None = None) -> Tensor:
        """The label with which a short search comes nearest to each x (N, *shape): (N,) on the CPU."""
        seed = int(torch.randint(2**62, (), generator=generator))
        costs = []
        for label in range(self.space.classes):
            y = torch.full((len(x),), label, device=self.offset.device)
            start = Random().manual_seed(seed)  # the same z for every label
            costs.append(self._inverted(x, y, start, SHORT)[1])
        return torch.stack(costs, 1).argmin(1).cpu()  # (N, classes) -> (N,)

    def _inverted(
        self, x: Tensor, y: Tensor | None, generator: Random | None, search: Search | None = None
    ) -> tuple[Tensor, Tensor]:
        """z of x (N, *shape) in data units for labels y (N,), and what the search could not remove: (N, d), (N,)."""
        search = search or SEARCH
        x, pool = self.standardise(self._to_device(x)), self.latent(search.pool, generator)
        z = torch.zeros(len(x), pool.shape[1], device=x.device)
        cost = torch.zeros(len(x), device=x.device)
        with self.evaluating():
            for label, rows in by_label(y, len(x)):
                draw = self._generator_of(label)
                for few in rows.split(_AT_ONCE):
                    z[few], cost[few] = invert(draw, x[few], self._to_device(pool), search)
        return z, cost

    def _generator_of(self, label: int) -> Callable[[Tensor], Tensor]:
        """z (N, latent) -> G(z, label) in standard units, on the levels as samples are."""

        def draw(z: Tensor) -> Tensor:
            y = torch.full((len(z),), label, device=z.device) if self.conditional else None
            x: Tensor = self.generator(z, y)
            return quantise_straight_through(x, self.space.levels) if self.space.levels else x

        return draw

    def logits(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """D(T(x), y), logits: x (N, *shape) in data units -> (N / pack,); a rest of N is left out."""
        whole = len(x) // self.config.pack * self.config.pack
        return self.game.d_output(self.standardise(x[:whole]), y).logit

    def generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """What G pays for its logits beside those of data: (N,), (N,) -> (N,)."""
        return losses[self.config.loss](real, fake).generator

    def _noise(self, n: int, generator: Random | None) -> Tensor:
        return self.latent(n, generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        return self.decode(noise, y)

    def _real(self, batch: Batch) -> Tensor:
        """The data in standard units, each image as it is or changed by the symmetries of their distribution."""
        return self.standardise(symmetrised(batch.x, self.config.symmetries or ()))

    def _labels_of(self, batch: Batch) -> Tensor | None:
        return batch.y if self.conditional else None

    def _draw(self, n: int, y: Tensor | None) -> Tensor:
        """n samples in standard units as the discriminator sees them: on the grid, as data are.

        Otherwise D wins by spotting values that no data point can have.
        """
        z = torch.randn(n, self.config.latent, device=self.offset.device)
        x = self.generator(z, y)
        return quantise_straight_through(x, self.space.levels) if self.space.levels else x

    def _lr_schedule(self, lr: float) -> Schedule:
        share = 0.01 if self.config.lr_end is None else self.config.lr_end / self.config.lr
        begin, until = self.config.decay
        return cosine(lr, lr * share, begin=begin, until=until)

    @torch.no_grad()
    def _clip(self) -> None:
        for param in self.discriminator.parameters():
            param.clamp_(-(self.config.clip or 0), self.config.clip)
