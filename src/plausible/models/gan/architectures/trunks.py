"""What an architecture is: G and D without their heads, made for a space and mirror images of each other."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from plausible.core.registry import Registry
from plausible.core.space import Space


@dataclass(frozen=True)
class Trunks:
    """The networks of both players, initialised, D's without its last layer.

    generator      (N, inputs) -> (N, *shape).
    discriminator  (N, *d_shape) -> (N, features).
    batch_statistics  whether the discriminator normalises over the batch, so that what it says of one
                      example depends on the others.
    """

    generator: nn.Module
    discriminator: nn.Module
    features: int
    batch_statistics: bool = False


Build = Callable[[Space, Space, int, int | None], Trunks]

architectures: Registry[Build] = Registry("architecture")
"""f(space, d_space, inputs, width) -> Trunks.

space    that G draws in.
d_space  of what D is shown: the same, with more channels where labels or several samples are concatenated.
inputs   numbers that go into G: z, and the label's embedding.
width    None is the architecture's own choice for the space.
"""
