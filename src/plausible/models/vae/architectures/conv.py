"""Strided convolutions on the side of x, residual perceptrons on the side of z."""

from torch import nn

from plausible.core.space import Space
from plausible.models.vae.architectures.build import Size, architectures
from plausible.models.vae.architectures.ladder import Ladder
from plausible.models.vae.hierarchy import Hierarchy
from plausible.nn.networks import ConvDecoder, ConvEncoder, initialise, need_images
from plausible.nn.observation import Params

_HIDDEN = 512


@architectures
def conv(space: Space, size: int, request: Size) -> Hierarchy:
    """For images with sides of 8 to 256: convolutions to about 4x4 pixels and back from about 8x8.

    Between them 512 units and ``blocks`` (2) residual blocks each way.  ``width`` channels at the largest
    size (what suits it), ``layers`` (1) of z with ``latent`` (64) coordinates.
    """
    need_images(space, "conv")
    channels, *sides = space.shape
    front = initialise(ConvEncoder(space.shape, request.width, top=_HIDDEN))
    decoder = ConvDecoder(_HIDDEN, (channels * size, *sides), request.width, hidden=())
    back = nn.Sequential(initialise(decoder), Params(channels))
    return Ladder(
        front,
        back,
        latent=request.latent or 64,
        layers=request.layers or 1,
        hidden=_HIDDEN,
        blocks=2 if request.blocks is None else request.blocks,
        classes=request.classes,
    )
