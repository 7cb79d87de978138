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
    """The architecture for a space: conv for images of at least 8 pixels a side, otherwise mlp."""
    return "conv" if space.is_image and min(space.shape[1:]) >= 8 else "mlp"
