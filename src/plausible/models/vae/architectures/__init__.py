"""The networks of a variational autoencoder, by name: each one function in one file."""

from plausible.core.space import Space
from plausible.models.vae.architectures import (  # noqa: F401  # registers them
    conv,
    linear,
    mlp,
    residual,
)
from plausible.models.vae.architectures.build import Size, architectures

__all__ = ["Size", "architectures", "default"]

_SMALL = 16  # pixels a side up to which a matrix from all of them is the best use of time


def default(space: Space) -> str:
    """mlp for vectors and for images of up to 16 pixels a side, conv for larger ones."""
    sides = space.shape[1:]
    return "conv" if space.is_image and max(sides) > _SMALL and min(sides) >= 8 else "mlp"
