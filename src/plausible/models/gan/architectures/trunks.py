"""What an architecture is: two networks made for a space, mirror images of each other."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from plausible.core.errors import UsageError
from plausible.core.registry import Registry
from plausible.core.space import Space


@dataclass(frozen=True)
class Trunks:
    """``synthesis`` (N, inputs) -> (N, *shape), ``analysis`` (N, *shape) -> (N, features); initialised.

    batch_statistics  whether the analysis normalises over the batch, so that what it says of one
                      example depends on the others.
    """

    synthesis: nn.Module
    analysis: nn.Module
    features: int
    batch_statistics: bool = False


def images(space: Space, name: str, smallest: int = 8) -> None:
    """Refuse a space whose points are not images with sides of ``smallest`` to 128."""
    if not space.is_image or not smallest <= min(space.shape[1:]) <= max(space.shape[1:]) <= 128:
        raise UsageError(
            f"the architecture {name} is for images with sides of {smallest} to 128, not for "
            f"{space.shape}: choose --architecture mlp, or another --size"
        )


Build = Callable[[Space, Space, int, int | None], Trunks]

architectures: Registry[Build] = Registry("architecture")
"""f(made, seen, inputs, width) -> Trunks.

made    the space that G draws in.
seen    what D sees: the same, with more channels where labels or several samples are concatenated.
inputs  numbers that go into G: z, and the label's embedding.
width   None is the architecture's own choice for the space.
"""
