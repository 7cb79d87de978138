"""Many layers of z, from one number to maps as fine as the image: a deep hierarchy, for a GPU."""

from plausible.core.space import Space
from plausible.models.vae.architectures.build import Size, architectures
from plausible.models.vae.architectures.maps import Maps
from plausible.models.vae.hierarchy import Hierarchy
from plausible.nn.networks import need_images


@architectures
def residual(space: Space, size: int, request: Size) -> Hierarchy:
    """For images with sides of 8 to 256: ``layers`` (8) maps of z with ``latent`` (8) channels each.

    ``width`` (64) channels everywhere, ``blocks`` (2) residual blocks at each resolution on the way up.
    """
    need_images(space, "residual")
    return Maps(
        space.shape,
        size,
        latent=request.latent or 8,
        layers=request.layers or 8,
        width=request.width or 64,
        blocks=2 if request.blocks is None else request.blocks,
        classes=request.classes,
    )
