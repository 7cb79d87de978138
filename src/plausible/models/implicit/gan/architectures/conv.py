"""Small strided convolutions without batch statistics: many updates a minute."""

from plausible.core.registry import Refused
from plausible.core.space import Space
from plausible.models.implicit.gan.architectures.pair import Pair, architectures
from plausible.nn.networks import Analysis, Synthesis, initialise


@architectures
def conv(made: Space, seen: Space, inputs: int, width: int | None) -> Pair:
    """Strided convolutions from full size to about 4x4, ``width`` channels at the first.

    For images of any channel count with sides of 8 to 128.
    """
    if not made.is_image or not 8 <= min(made.shape[1:]) <= max(made.shape[1:]) <= 128:
        raise Refused(
            f"the architecture conv is for images with sides of 8 to 128, not for {made.shape}: "
            f"choose --architecture mlp, or another --size"
        )
    analysis = Analysis(seen.shape, width)
    synthesis = Synthesis(inputs, made.shape, width)
    return Pair(initialise(synthesis), initialise(analysis), analysis.features)
