"""Generative adversarial network: G learns to draw, D learns to tell draws from data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from torch import Generator as Random
from torch import Tensor

from plausible.core.model import Clock, Generative, Loss, Player, models
from plausible.core.registry import Refused
from plausible.core.schedule import Schedule, at, cosine
from plausible.core.space import Batch, Space
from plausible.models.implicit.gan.architectures import (
    Discriminator,
    Generator,
    architectures,
    pair,
)
from plausible.models.implicit.gan.losses import losses
from plausible.models.implicit.gan.penalties import Point, Round, penalties


@models
class GAN(Generative):
    """min_G max_D E log D(x) + E log(1 - D(G(z))), z ~ N(0, I), and its better-behaved relatives.

    Two players, the discriminator first.  By default the relativistic loss with both gradient
    penalties, which has a local convergence guarantee and needs no batch statistics.
    Sources: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661; Huang et al. 2024,
    https://arxiv.org/abs/2501.05441.
    """

    name: ClassVar[str] = "gan"
    place: ClassVar[tuple[str, ...]] = ("generative, p(x) or p(x | y)", "implicit", "direct")

    @dataclass(frozen=True)
    class Config(Generative.Config):
        """A GAN: the generator against the discriminator."""

        conditional: bool = False
        """Learn p(x | y) from labelled data."""
        loss: Annotated[str, losses] = "relativistic"
        """What the two players minimise."""
        penalties: tuple[Annotated[str, penalties], ...] = ("r1", "r2")
        """Added to the discriminator's cost."""
        penalty_weight: float = 1.0
        """Of each penalty at the start ..."""
        penalty_weight_end: float = 1.0
        """... and from half of the budget on."""
        penalty_every: int = 4
        """Updates of the discriminator between penalties; each then counts as many times."""
        architecture: Annotated[str, architectures] | None = None
        """The networks; by default conv for images of at least 8 pixels, mlp otherwise."""
        width: int | None = None
        """Channels at full size (conv) or hidden units (mlp); by default what suits the data."""
        latent: int = 64
        """Dimensions of z."""
        lr: float = 2e-3
        """Learning rate of both players until 40% of the budget; then it falls to 1% of this."""
        lr_discriminator: float | None = None
        """Learning rate of the discriminator, when it is to differ."""
        beta2: float = 0.99
        """Memory of Adam's second moment; its first moment has none."""
        updates: int = 1
        """Updates of the discriminator for each one of the generator (n_critic)."""
        clip: float | None = None
        """Keep every weight of the discriminator within [-clip, clip]."""
        ema: float = 500_000
        """Half-life, in training examples, of the averaged generator; at most 5% of those seen."""

        def __post_init__(self) -> None:
            super().__post_init__()
            _ = losses[self.loss], [penalties[name] for name in self.penalties]
            if self.architecture is not None:
                _ = architectures[self.architecture]
            for flag in ("penalty_every", "latent", "updates"):
                if getattr(self, flag) < 1:
                    raise Refused(f"--{flag.replace('_', '-')} must be at least 1")
            if self.width is not None and self.width < 1:
                raise Refused("--width must be at least 1")
            for flag in ("lr", "lr_discriminator", "clip", "ema"):
                value = getattr(self, flag)
                if value is not None and not value > 0:
                    raise Refused(f"--{flag.replace('_', '-')} must be more than 0, not {value}")
            if min(self.penalty_weight, self.penalty_weight_end) < 0:
                raise Refused("a penalty weight must not be negative")

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        config = config or self.Config()
        super().__init__(space, config)
        classes = space.classes if config.conditional else 0
        embedding = config.latent if config.conditional else 0
        networks = pair(space, config.architecture, config.latent + embedding, config.width)
        self.generator = Generator(networks, classes, embedding)
        self.discriminator = Discriminator(networks, classes)
        end = config.penalty_weight_end
        self._weight = cosine(config.penalty_weight, end, until=0.5)

    def players(self) -> Sequence[Player]:
        """The discriminator, then the generator, whose weights are averaged."""
        config = self.config
        betas: tuple[Schedule, Schedule] = (0.0, config.beta2)
        return [
            Player(
                "discriminator",
                self.discriminator,
                self.discriminate,
                updates=config.updates,
                lr=_decaying(config.lr_discriminator or config.lr),
                betas=betas,
                project=self._clip if config.clip else None,
            ),
            Player(
                "generator",
                self.generator,
                self.generate,
                lr=_decaying(config.lr),
                betas=betas,
                ema=config.ema,
            ),
        ]

    def discriminate(self, batch: Batch, clock: Clock) -> Loss:
        """The discriminator's loss on a batch of data and as many samples with the same labels."""
        real, y = self.standardise(batch.x), self._conditions(batch)
        with torch.no_grad():
            fake = self._draw(len(batch), y)
        terms: dict[str, Tensor] = {}
        if self.config.penalties and clock.turn % self.config.penalty_every == 0:

            def critic(x: Tensor) -> Tensor:
                return self.discriminator(x, y)

            round = Round(critic, Point(critic, real), Point(critic, fake))
            on_real, on_fake = round.real.logits, round.fake.logits
            weight = at(self._weight, clock.spent) * self.config.penalty_every
            for name in self.config.penalties:
                terms[name] = weight * penalties[name](round)
        else:
            both = None if y is None else torch.cat([y, y])
            logits = self.discriminator(torch.cat([real, fake]), both)  # (2 N,)
            on_real, on_fake = logits.chunk(2)
        costs = losses[self.config.loss](on_real, on_fake)
        watch = {"D(x)": costs.real.mean(), "D(G(z))": costs.fake.mean()}
        return Loss({"game": costs.discriminator, **terms}, watch)

    def generate(self, batch: Batch, clock: Clock) -> Loss:
        """The generator's loss on as many samples as the batch has examples, with its labels."""
        y = self._conditions(batch)
        with torch.no_grad():
            on_real = self.discriminator(self.standardise(batch.x), y)
        on_fake = self.discriminator(self._draw(len(batch), y), y)
        return Loss({"game": losses[self.config.loss](on_real, on_fake).generator})

    def latent(self, n: int, generator: Random | None = None) -> Tensor:
        """n draws of z ~ N(0, I), (n, latent), on the CPU."""
        return torch.randn(n, self.config.latent, generator=generator)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """G(z, y) in data units, differentiable and off the grid: z (N, latent) -> (N, *shape)."""
        return self.restore(self.generator(z, y))

    def _noise(self, n: int, generator: Random | None) -> Tensor:
        return self.latent(n, generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        return self.decode(noise, y)

    def _conditions(self, batch: Batch) -> Tensor | None:
        return batch.y if self.conditional else None

    def _draw(self, n: int, y: Tensor | None) -> Tensor:
        """n samples in standard units as the discriminator sees them: on the grid, as data are.

        Otherwise D wins by spotting values that no data point can have.
        """
        z = torch.randn(n, self.config.latent, device=self.offset.device)
        x = self.generator(z, y)
        return _on_grid(x, self.space.levels) if self.space.levels else x

    @torch.no_grad()
    def _clip(self) -> None:
        for param in self.discriminator.parameters():
            param.clamp_(-(self.config.clip or 0), self.config.clip)


def _decaying(lr: float) -> Schedule:
    return cosine(lr, lr / 100, begin=0.4)


class _OnGrid(torch.autograd.Function):
    """The nearest of L levels in [-1, 1], with a gradient as if nothing had been rounded.

    Outside of [-1, 1] only a gradient that leads back inside passes: one that leads further out
    changes nothing that D sees, and would let the values drift away without end.
    Source of the first half: Bengio et al. 2013, https://arxiv.org/abs/1308.3432.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, levels: int) -> Tensor:
        ctx.save_for_backward(x)
        half = (levels - 1) / 2
        return x.clamp(-1, 1).add(1).mul_(half).round_().div_(half).sub_(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,), (gradient,) = ctx.saved_tensors, gradients
        outwards = ((x < -1) & (gradient > 0)) | ((x > 1) & (gradient < 0))
        return gradient.masked_fill(outwards, 0), None


def _on_grid(x: Tensor, levels: int) -> Tensor:
    return _OnGrid.apply(x, levels)
