"""What an architecture is: two networks made for a space, mirror images of each other."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from plausible.core.registry import Registry
from plausible.core.space import Space


@dataclass(frozen=True)
class Pair:
    """``synthesis`` (N, inputs) -> (N, *shape), ``analysis`` (N, *shape) -> (N, features); initialised.

    batch_statistics  whether the analysis normalises over the batch, so that what it says of one
                      example depends on the others.
    """

    synthesis: nn.Module
    analysis: nn.Module
    features: int
    batch_statistics: bool = False


Build = Callable[[Space, Space, int, int | None], Pair]

architectures: Registry[Build] = Registry("architecture")
"""f(made, seen, inputs, width) -> Pair.

made    the space that G draws in.
seen    what D sees: the same, with more channels where labels or several samples are concatenated.
inputs  numbers that go into G: z, and the label's embedding.
width   None is the architecture's own choice for the space.
"""
