"""What an architecture is: a hierarchy made for a space."""

from collections.abc import Callable
from dataclasses import dataclass

from plausible.core.registry import Registry
from plausible.core.space import Space
from plausible.models.vae.hierarchy import Hierarchy


@dataclass(frozen=True)
class Size:
    """How large; None is the architecture's own choice for the space.

    latent  coordinates of each layer of z, at each place where a layer is a map.
    layers  of z.
    width   units or channels.
    blocks  residual blocks, as the architecture counts them.
    classes labels of a conditional model, otherwise 0.
    """

    latent: int | None = None
    layers: int | None = None
    width: int | None = None
    blocks: int | None = None
    classes: int = 0


Build = Callable[[Space, int, Size], Hierarchy]

architectures: Registry[Build] = Registry("architecture")
"""f(space, size, request) -> Hierarchy; ``size`` numbers decide the distribution of each coordinate."""
