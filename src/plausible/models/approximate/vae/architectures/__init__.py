"""The networks of a variational autoencoder, by name: each one function in one file."""

from plausible.core.space import Space
from plausible.models.approximate.vae.architectures import (  # noqa: F401  # registers them
    conv,
    linear,
    mlp,
    residual,
)
from plausible.models.approximate.vae.architectures.build import Size, architectures

__all__ = ["Size", "architectures", "default"]

_DENSE = 1024  # coordinates up to which a matrix from all of them is the best use of time


def default(space: Space) -> str:
    """mlp for vectors and for images of up to 1,024 numbers, conv for larger ones."""
    large = space.is_image and space.dims > _DENSE and min(space.shape[1:]) >= 8
    return "conv" if large else "mlp"
