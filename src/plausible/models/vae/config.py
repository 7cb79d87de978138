"""The choices of a variational autoencoder: numbers, from the plain one to a hierarchy that is importance weighted."""

from dataclasses import dataclass
from typing import Annotated, Literal

from plausible.core.bounds import (
    BELOW_ONE,
    COUNT,
    DEPTH,
    NO_DEPTH,
    NON_NEGATIVE,
    POSITIVE,
    REPEATS,
    SHARE,
)
from plausible.core.errors import UsageError
from plausible.core.model import Explicit
from plausible.models.vae.architectures import architectures

Scale = Literal["local", "shared"]


@dataclass(frozen=True)
class VAEConfig(Explicit.Config):
    """A variational autoencoder."""

    batch: Annotated[int, COUNT] = 256
    """The number of training examples in one update."""
    conditional: bool = False
    """Learn p(x | y) from labelled data, so that a class can be asked for."""
    architecture: Annotated[str, architectures] | None = None
    """The networks; by default mlp, and conv for images beyond 16 pixels."""
    latent: Annotated[int, COUNT] | None = None
    """The coordinates of z, of each layer (and at each place of a map); by default the architecture's."""
    layers: Annotated[int, DEPTH] | None = None
    """The layers of z, one below the other; by default the architecture's."""
    width: Annotated[int, COUNT] | None = None
    """The units or channels, as the architecture counts them; by default what suits the data."""
    blocks: Annotated[int, NO_DEPTH] | None = None
    """The residual blocks, as the architecture counts them; by default 2."""
    dropout: Annotated[float, BELOW_ONE] | None = None
    """The share of each residual block's units left out while it learns; by default 0.5 for few images."""
    logistics: Annotated[int, COUNT] | None = None
    """Say p(x_i | z) as a mixture of so many logistics; by default 3 beyond 32 grey levels."""
    scale: Scale = "local"
    """The spread of vectors around their mean: the network's, or one number for all coordinates."""
    importance: Annotated[int, REPEATS] | None = None
    """The draws of z for each example; more than 1 is the importance weighted bound.  By default 5 for vectors."""
    beta: Annotated[float, NON_NEGATIVE] = 1.0
    """The weight of the KL term; below 1 what is raised is no bound of log p(x)."""
    warm_up: Annotated[float, SHARE] = 0.0
    """The share of the budget in which the weight of the KL term rises from 0."""
    free_bits: Annotated[float, NON_NEGATIVE] = 0.0
    """The nats of KL that a coordinate of z has for nothing, on average over a batch."""
    lr: Annotated[float, POSITIVE] = 2e-3
    """The learning rate at the start; it falls to 1% of this."""
    largest_gradient: Annotated[float, POSITIVE] | None = None
    """A gradient whose norm is larger is scaled down to this; 200 steadies a deep hierarchy."""
    ema: Annotated[float, POSITIVE] | None = 500_000
    """The half-life of the averaged weights in training examples; at most 5% of those seen."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.importance or 1) > 1 and self.free_bits:
            raise UsageError(
                "--free-bits belong to the KL term, and with --importance beyond 1 there is none"
            )
