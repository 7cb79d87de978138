"""Small strided convolutions without batch statistics: many updates a minute."""

from plausible.core.space import Space
from plausible.models.gan.architectures.trunks import Trunks, architectures
from plausible.nn.networks import ConvDecoder, ConvEncoder, initialise, need_images

_TOP = 256  # units of the layer over all features that D's convolutions give


@architectures
def conv(space: Space, d_space: Space, inputs: int, width: int | None) -> Trunks:
    """D: strided convolutions to about 4x4 pixels and a layer of 256 units; G: a perceptron to about
    8x8 pixels, then transposed convolutions.  ``width`` channels at the largest size.

    For images of any channel count with sides of 8 to 256.
    """
    need_images(space, "conv")
    discriminator = ConvEncoder(d_space.shape, width, top=_TOP)
    generator = ConvDecoder(inputs, space.shape, width)
    return Trunks(initialise(generator), initialise(discriminator), discriminator.features)
