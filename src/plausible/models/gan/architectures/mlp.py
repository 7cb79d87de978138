"""Two hidden layers each way."""

from torch import nn

from plausible.core.space import Space
from plausible.models.gan.architectures.trunks import Trunks, architectures
from plausible.nn.networks import activation, initialise, perceptron


@architectures
def mlp(space: Space, d_space: Space, inputs: int, width: int | None) -> Trunks:
    """Two hidden layers each way, ``width`` units wide (256): for vectors and the smallest images."""
    wide = width or 256
    generator = nn.Sequential(
        perceptron(inputs, wide, wide, space.dims), nn.Unflatten(1, space.shape)
    )
    discriminator = nn.Sequential(nn.Flatten(), perceptron(d_space.dims, wide, wide), activation())
    return Trunks(initialise(generator), initialise(discriminator), wide)
