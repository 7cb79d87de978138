"""The choices of a restricted Boltzmann machine."""

from dataclasses import dataclass
from typing import Annotated

from plausible.core.bounds import BELOW_ONE, COUNT, NON_NEGATIVE, POSITIVE, REPEATS
from plausible.core.errors import UsageError
from plausible.core.model import Explicit


@dataclass(frozen=True)
class RBMConfig(Explicit.Config):
    """A restricted Boltzmann machine."""

    batch: Annotated[int, COUNT] = 100
    """The number of training examples in one update, and of chains."""
    conditional: bool = False
    """Learn p(x, y) from labelled data: the label is a visible unit for each class."""
    discriminative: Annotated[float, NON_NEGATIVE] = 0.0
    """The weight of -log p(y | x) beside the loss, of a conditional model; it classifies better for it."""
    hidden: Annotated[int, COUNT] | None = None
    """The number of hidden units; by default 500, or twice the coordinates if that is less."""
    gibbs: Annotated[int, REPEATS] = 1
    """The Gibbs steps of the chains in each update."""
    persistent: bool = True
    """Let the chains go on from update to update; otherwise they start at the data."""
    fast_weights: bool = False
    """Drive the chains on by weights that learn fast and fade."""
    temperatures: Annotated[int, REPEATS] = 1
    """Keep chains at so many temperatures, which change places; 1 is one temperature."""
    lr: Annotated[float, POSITIVE] = 0.01
    """The learning rate at the start; it falls to 1% of this."""
    momentum: Annotated[float, BELOW_ONE] = 0.9
    """The momentum of the updates, in Nesterov's form."""
    decay: Annotated[float, NON_NEGATIVE] = 1e-4
    """The weight decay: the weight of |W|^2 / 2 beside the loss."""
    ema: Annotated[float, POSITIVE] | None = None
    """The half-life of averaged weights in training examples; by default the last weights are kept."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.discriminative and not self.conditional:
            raise UsageError(
                "--discriminative is the weight of p(y | x), which needs --conditional"
            )
        if not self.persistent and (self.temperatures > 1 or self.fast_weights):
            raise UsageError("--temperatures and --fast-weights are for chains that are persistent")
        if self.temperatures > 1 and self.fast_weights:
            raise UsageError("give --temperatures or --fast-weights, not both")
