"""Many layers of z, from one number to maps as fine as the image: a deep hierarchy, for a GPU."""

from plausible.core.space import Space
from plausible.models.vae.architectures.build import Size, architectures, images
from plausible.models.vae.architectures.maps import Maps
from plausible.models.vae.hierarchy import Hierarchy


@architectures
def residual(space: Space, size: int, asked: Size) -> Hierarchy:
    """For images with sides of 8 to 128: ``layers`` (8) maps of z with ``latent`` (8) channels each.

    ``width`` (64) channels everywhere, ``blocks`` (2) residual blocks at each resolution on the way up.
    """
    images(space, "residual")
    return Maps(
        space.shape,
        size,
        latent=asked.latent or 8,
        layers=asked.layers or 8,
        width=asked.width or 64,
        blocks=2 if asked.blocks is None else asked.blocks,
        classes=asked.classes,
    )
