"""Residual perceptrons between x and z."""

from torch import nn

from plausible.core.space import Space
from plausible.models.vae.architectures.build import Size, architectures
from plausible.models.vae.architectures.ladder import Ladder
from plausible.models.vae.hierarchy import Hierarchy


@architectures
def mlp(space: Space, size: int, request: Size) -> Hierarchy:
    """For vectors and small images: a linear map, silu and ``blocks`` (2) residual blocks each way.

    ``width`` units (512 beyond 256 coordinates, otherwise 128), ``layers`` (1) of z with ``latent`` (50,
    or twice the coordinates if that is less).
    """
    hidden = request.width or (512 if space.dims > 256 else 128)
    front = nn.Sequential(nn.Flatten(), nn.Linear(space.dims, hidden), nn.SiLU())
    back = nn.Sequential(
        nn.Linear(hidden, space.dims * size), nn.Unflatten(1, (*space.shape, size))
    )
    return Ladder(
        front,
        back,
        latent=request.latent or min(50, 2 * space.dims),
        layers=request.layers or 1,
        hidden=hidden,
        blocks=2 if request.blocks is None else request.blocks,
        classes=request.classes,
    )
