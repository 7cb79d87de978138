"""Small strided convolutions without batch statistics: many updates a minute."""

from plausible.core.space import Space
from plausible.models.gan.architectures.trunks import Trunks, architectures, images
from plausible.nn.networks import ConvDecoder, ConvEncoder, initialise

_TOP = 256  # units of the layer over all that D's convolutions found


@architectures
def conv(made: Space, seen: Space, inputs: int, width: int | None) -> Trunks:
    """D: strided convolutions to about 4x4 pixels and a layer of 256 units; G: a perceptron to about
    8x8 pixels, then transposed convolutions.  ``width`` channels at the largest size.

    For images of any channel count with sides of 8 to 128.
    """
    images(made, "conv")
    analysis = ConvEncoder(seen.shape, width, top=_TOP)
    synthesis = ConvDecoder(inputs, made.shape, width)
    return Trunks(initialise(synthesis), initialise(analysis), analysis.features)
