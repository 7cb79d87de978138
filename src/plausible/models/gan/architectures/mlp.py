"""Two hidden layers each way."""

from torch import nn

from plausible.core.space import Space
from plausible.models.gan.architectures.trunks import Trunks, architectures
from plausible.nn.networks import activation, initialise, perceptron


@architectures
def mlp(made: Space, seen: Space, inputs: int, width: int | None) -> Trunks:
    """Two hidden layers each way, ``width`` units wide (256): for vectors and the smallest images."""
    wide = width or 256
    synthesis = nn.Sequential(
        perceptron(inputs, wide, wide, made.dims), nn.Unflatten(1, made.shape)
    )
    analysis = nn.Sequential(nn.Flatten(), perceptron(seen.dims, wide, wide), activation())
    return Trunks(initialise(synthesis), initialise(analysis), wide)
