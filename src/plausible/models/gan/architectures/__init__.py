"""The networks of the two players, by name: each architecture one function in one file."""

from plausible.core.space import Space
from plausible.models.gan.architectures import (  # noqa: F401  # registers them
    antialiased,
    conv,
    dcgan,
    mlp,
    r3gan,
    resnet,
)
from plausible.models.gan.architectures.trunks import Trunks, architectures

__all__ = ["Trunks", "architectures", "default_architecture"]


def default_architecture(space: Space) -> str:
    """The architecture for a space.

    antialiased for images in colour beyond 16 pixels a side and for all from 32 on, conv for others of at
    least 8, and otherwise mlp.
    """
    if not space.is_image or min(space.shape[1:]) < 8:
        return "mlp"
    channels, side = space.shape[0], max(space.shape[1:])
    return "antialiased" if side >= 32 or (side > 16 and channels >= 3) else "conv"
