"""The networks of the two players, by name: each architecture one function in one file."""

from plausible.core.space import Space
from plausible.models.gan.architectures import (  # noqa: F401  # registers them
    antialiased,
    conv,
    dcgan,
    mlp,
    palette,
    r3gan,
    resnet,
)
from plausible.models.gan.architectures.trunks import Trunks, architectures

__all__ = ["Trunks", "architectures", "data_decide", "default_architecture"]

_COLOUR = 3  # channels from which there are colours to mix


def default_architecture(space: Space) -> str:
    """The architecture for a space.

    antialiased for images of 32 pixels and more, conv for others of at least 8 a side, and otherwise mlp.
    """
    if not space.is_image or min(space.shape[1:]) < 8:
        return "mlp"
    return "antialiased" if max(space.shape[1:]) >= 32 else "conv"


def data_decide(space: Space) -> bool:
    """Whether it depends on the data which networks are the default: of large images in colour, which may be flat."""
    return default_architecture(space) == "antialiased" and space.shape[0] >= _COLOUR
