"""The choices of a GAN: what can be combined, and what is refused."""

from dataclasses import dataclass
from typing import Annotated, Literal

from plausible.core.errors import UsageError
from plausible.core.model import Generative
from plausible.models.gan.architectures import architectures
from plausible.models.gan.augment import augmentations
from plausible.models.gan.losses import losses
from plausible.models.gan.penalties import penalties

Condition = Literal["projection", "auxiliary", "concatenation"]


@dataclass(frozen=True)
class GANConfig(Generative.Config):
    """A GAN: the generator against the discriminator."""

    conditional: bool = False
    """Learn p(x | y) from labelled data."""
    condition: Condition = "projection"
    """How D learns the label of a conditional GAN; G has its embedding beside z."""
    loss: Annotated[str, losses] = "relativistic"
    """What the two players minimise."""
    penalties: tuple[Annotated[str, penalties], ...] = ("r1", "r2")
    """Added to the discriminator's cost."""
    penalty_weight: float = 1.0
    """Of each penalty at the start ..."""
    penalty_weight_end: float = 1.0
    """... and after the burn-in."""
    penalty_every: int = 4
    """Updates of the discriminator between penalties; each then counts as many times."""
    spectral_norm: bool = False
    """Divide every weight of the discriminator by its largest singular value."""
    clip: float | None = None
    """Keep every weight of the discriminator within [-clip, clip]."""
    architecture: Annotated[str, architectures] | None = None
    """The networks; by default conv for images of at least 8 pixels, mlp otherwise."""
    width: int | None = None
    """Channels or hidden units, as the architecture counts them; by default what suits the data."""
    latent: int = 64
    """Dimensions of z."""
    minibatch_std: bool = False
    """D also sees how much its features vary over the batch."""
    pack: int = 1
    """D judges so many samples at once (PacGAN)."""
    augment: tuple[Annotated[str, augmentations], ...] | None = None
    """Random changes to all that D sees; by default color, translation, cutout for images."""
    augment_strength: float | None = None
    """Probability of each change; by default as much as D's held-out gap asks for, at most 0.8."""
    lr: float = 2e-3
    """Learning rate of both players at the start."""
    lr_end: float | None = None
    """Learning rate at the end; by default 1% of --lr."""
    lr_discriminator: float | None = None
    """Learning rate of the discriminator, when it is to differ; it falls by the same factor."""
    decay: tuple[float, float] = (0.4, 1.0)
    """Shares of the budget between which the learning rates fall, by a cosine."""
    burn_in: float = 0.5
    """Share of the budget in which what has an end of its own gets there, by a cosine."""
    beta1: float = 0.0
    """Memory of Adam's first moment: 0, because the game's gradient turns."""
    beta2: float = 0.99
    """Memory of Adam's second moment at the start ..."""
    beta2_end: float | None = None
    """... and after the burn-in; by default the same."""
    updates: int = 1
    """Updates of the discriminator for each one of the generator (n_critic)."""
    ema: float = 500_000
    """Half-life, in training examples, of the averaged generator; at most 5% of those seen."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = losses[self.loss], [penalties[name] for name in self.penalties]
        _ = [augmentations[name] for name in self.augment or ()]
        if self.architecture is not None:
            _ = architectures[self.architecture]
        for name in ("penalty_every", "latent", "updates", "width", "pack"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{_flag(name)} must be at least 1, not {value}")
        for name in ("lr", "lr_end", "lr_discriminator", "clip", "ema"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"{_flag(name)} must be more than 0, not {value}")
        for name in ("beta1", "beta2", "beta2_end"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise UsageError(f"{_flag(name)} must be at least 0 and less than 1, not {value}")
        for name in ("augment_strength", "burn_in"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise UsageError(f"{_flag(name)} must lie between 0 and 1, not {value}")
        if min(self.penalty_weight, self.penalty_weight_end) < 0:
            raise UsageError("a penalty weight must not be negative")
        if not 0 <= self.decay[0] <= self.decay[1] <= 1:
            raise UsageError(f"--decay takes two shares of the budget in order, not {self.decay}")
        self._combined()

    def _combined(self) -> None:
        """Refuse what cannot work together, whatever the data."""
        if self.batch % self.pack:
            raise UsageError(
                f"--batch {self.batch} cannot be packed in groups of --pack {self.pack}"
            )
        if self.pack > 1 and self.conditional:
            raise UsageError("--pack judges samples of one label only: leave out --conditional")
        if self.clip and self.spectral_norm:
            raise UsageError("--clip and --spectral-norm both bound the discriminator: choose one")
        if self.minibatch_std:
            self.alone("--minibatch-std")

    def alone(self, reason: str) -> None:
        """Refuse a penalty on the slope of D between examples where D's answer depends on the batch."""
        for name in ("wgan-gp", "dragan"):
            if name in self.penalties:
                raise UsageError(
                    f"--penalties {name} bounds how D's answer to one example changes with it, and with "
                    f"{reason} it changes with the whole batch: leave one of them out"
                )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
