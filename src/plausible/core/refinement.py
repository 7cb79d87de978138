"""The choices of a refinement: which game a trained model goes on to play, and how."""

from dataclasses import dataclass
from typing import Annotated, Literal

from plausible.core.bounds import COUNT, NON_NEGATIVE, POSITIVE, check_bounds
from plausible.core.errors import UsageError

Objective = Literal["likelihood-ratio", "adversarial"]
# what a GAN has under these names, said here too so that a command knows them before it imports torch
Loss = Literal[
    "minimax", "nonsaturating", "relativistic", "relativistic-average", "least-squares", "hinge", "wasserstein",
]  # fmt: skip
Penalty = Literal["r1", "r2", "wgan-gp", "dragan", "consistency"]
Augmentation = Literal["color", "translation", "cutout", "flip"]
Architecture = Literal["antialiased", "conv", "dcgan", "mlp", "palette", "r3gan", "resnet"]
_OF_RATIO = ("beta", "reference_samples")
_OF_GAME = (
    "likelihood_weight", "penalties", "penalty_weight", "augment", "architecture", "width", "lr_discriminator",
    "sampling_steps",
)  # fmt: skip


@dataclass(frozen=True)
class RefinementConfig:
    """A trained model, refined by a game."""

    objective: Objective | None = None
    """The game: likelihood-ratio, where the model is its own discriminator, or adversarial against a network; by default what suits the model."""
    likelihood_weight: Annotated[float, NON_NEGATIVE] | None = None
    """The weight of the model's own loss for each coordinate beside the game, of adversarial; 0 leaves it out; by default 0.1, or 10 of diffusion, whose loss is a squared error."""
    lr: Annotated[float, POSITIVE] | None = None
    """The learning rate of the model; by default 5e-5 of likelihood-ratio, and of adversarial 5e-4, or 2e-5 of diffusion; it falls to 1% of this."""
    batch: Annotated[int, COUNT] | None = None
    """The number of training examples in one update; by default that of the model, and of adversarial 64 at most."""
    loss: Loss | None = None
    """The loss of the game; by default minimax of likelihood-ratio, and relativistic of adversarial."""
    beta: Annotated[float, POSITIVE] = 1.0
    """The logit for each nat by which an example became more probable, of likelihood-ratio; at 1 the best answer is the distribution of the data."""
    reference_samples: Annotated[int, COUNT] = 2048
    """The samples of the start that it learns to tell from data, of likelihood-ratio, drawn once."""
    penalties: tuple[Penalty, ...] = ("r1", "r2")
    """The penalties added to the discriminator's loss, of adversarial."""
    penalty_weight: Annotated[float, NON_NEGATIVE] = 1.0
    """The weight of each penalty."""
    augment: tuple[Augmentation, ...] | None = None
    """The random changes to all images that the discriminator sees; by default color, translation, cutout from 8 pixels on."""
    architecture: Architecture | None = None
    """The networks whose discriminator it is; by default antialiased for images from 32 pixels on, conv for others from 8, otherwise mlp."""
    width: Annotated[int, COUNT] | None = None
    """The channels or hidden units of the discriminator; by default what suits the data."""
    lr_discriminator: Annotated[float, POSITIVE] = 2e-3
    """The learning rate of the discriminator, which falls by the same factor."""
    sampling_steps: Annotated[int, COUNT] | None = None
    """The steps in which a diffusion model is to draw, from now on; by default 1 by average velocities, otherwise 4 of euler."""

    def __post_init__(self) -> None:
        check_bounds(self)
        foreign = {"likelihood-ratio": _OF_GAME, "adversarial": _OF_RATIO}.get(self.objective or "")
        for name in foreign or ():
            if getattr(self, name) != getattr(type(self), name):
                flag = f"--{name.replace('_', '-')}"
                raise UsageError(f"{flag} is not of --objective {self.objective}: leave it out")
