"""The choices of a GAN: what can be combined, and what is refused."""

from dataclasses import dataclass
from typing import Annotated, Literal

from plausible.core.bounds import BELOW_ONE, COUNT, NON_NEGATIVE, POSITIVE, REPEATS, SHARE
from plausible.core.errors import UsageError
from plausible.core.model import Generative
from plausible.data.symmetries import symmetries as _symmetries
from plausible.models.gan.architectures import architectures
from plausible.models.gan.augment import augmentations
from plausible.models.gan.losses import losses
from plausible.models.gan.penalties import penalties as _penalties  # the field has this name

Condition = Literal["projection", "auxiliary", "concatenation"]


@dataclass(frozen=True)
class GANConfig(Generative.Config):
    """A GAN: the generator against the discriminator."""

    batch: Annotated[int, COUNT] | None = None  # type: ignore[assignment]
    """The number of training examples in one update; by default 64, and 32 with antialiased networks or a palette."""
    conditional: bool = False
    """Learn p(x | y) from labelled data, so that a class can be asked for."""
    condition: Condition = "projection"
    """The way in which D learns the label of a conditional GAN; G has its embedding beside z."""
    loss: Annotated[str, losses] = "relativistic"
    """The loss that the two players minimise."""
    penalties: tuple[Annotated[str, _penalties], ...] = ("r1", "r2")
    """The penalties added to the discriminator's loss."""
    penalty_weight: Annotated[float, NON_NEGATIVE] = 1.0
    """The weight of each penalty at the start."""
    penalty_weight_end: Annotated[float, NON_NEGATIVE] = 1.0
    """The weight of each penalty after the burn-in."""
    penalty_every: Annotated[int, COUNT] = 4
    """The number of updates of the discriminator from one penalty to the next; each counts as many times."""
    spectral_norm: bool = False
    """Divide every weight of the discriminator by its largest singular value."""
    clip: Annotated[float, POSITIVE] | None = None
    """Keep every weight of the discriminator within [-clip, clip]."""
    architecture: Annotated[str, architectures] | None = None
    """The networks; by default palette (flat colours) or antialiased from 32 pixels on, conv for others from 8, otherwise mlp."""
    width: Annotated[int, COUNT] | None = None
    """The channels or hidden units, as the architecture counts them; by default what suits the data."""
    latent: Annotated[int, COUNT] = 64
    """The number of coordinates of z."""
    minibatch_std: bool = False
    """Show the discriminator how much its features vary over the batch."""
    pack: Annotated[int, COUNT] = 1
    """The number of samples that the discriminator judges at once (PacGAN)."""
    augment: tuple[Annotated[str, augmentations], ...] | None = None
    """The random changes to all images that D sees; by default color, translation, cutout from 8 pixels on."""
    symmetries: tuple[Annotated[str, _symmetries], ...] | None = None
    """The changes that leave the distribution as it is: data are shown changed or not; by default what a test on them cannot tell."""
    augment_strength: Annotated[float, SHARE] | None = None
    """The probability of each random change; by default as much as D's held-out gap asks for, at most 0.8."""
    lr: Annotated[float, POSITIVE] = 2e-3
    """The learning rate of both players at the start."""
    lr_end: Annotated[float, POSITIVE] | None = None
    """The learning rate at the end; by default 1% of --lr."""
    lr_discriminator: Annotated[float, POSITIVE] | None = None
    """The learning rate of the discriminator, where it is to differ; it falls by the same factor."""
    decay: tuple[float, float] = (0.4, 1.0)
    """The two shares of the budget between which the learning rates fall by a cosine."""
    burn_in: Annotated[float, SHARE] = 0.5
    """The share of the budget in which penalty weight, beta2 and a fixed augmentation reach their ends."""
    beta1: Annotated[float, BELOW_ONE] = 0.0
    """The memory of Adam's first moment; by default none, because the gradient of a game turns."""
    beta2: Annotated[float, BELOW_ONE] = 0.99
    """The memory of Adam's second moment at the start."""
    beta2_end: Annotated[float, BELOW_ONE] | None = None
    """The memory of Adam's second moment after the burn-in; by default as at the start."""
    updates: Annotated[int, REPEATS] = 1
    """The number of updates of the discriminator for each one of the generator (n_critic)."""
    ema: Annotated[float, POSITIVE] = 500_000
    """The half-life of the averaged generator in training examples; at most 5% of those seen."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.decay[0] <= self.decay[1] <= 1:
            raise UsageError(f"--decay takes two shares of the budget in order, not {self.decay}")
        self._check_combinations()

    def _check_combinations(self) -> None:
        """Refuse what cannot work together, whatever the data."""
        if self.pack > 1 and self.conditional:
            raise UsageError("--pack judges samples of one label only: leave out --conditional")
        if self.clip and self.spectral_norm:
            raise UsageError("--clip and --spectral-norm both bound the discriminator: choose one")
        if self.minibatch_std:
            self.refuse_slope_penalties("--minibatch-std")

    def refuse_slope_penalties(self, reason: str) -> None:
        """Refuse a bound on the slope of D away from the data where D's answer depends on the batch."""
        for name in ("wgan-gp", "dragan"):
            if name in self.penalties:
                raise UsageError(
                    f"--penalties {name} bounds how D's answer to one example changes with it, and with "
                    f"{reason} it changes with the whole batch: leave one of them out"
                )
