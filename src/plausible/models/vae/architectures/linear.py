"""Linear maps both ways."""

import torch
from torch import Tensor, nn

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.models.vae.architectures.build import Size, architectures
from plausible.models.vae.hierarchy import Hierarchy


@architectures
def linear(space: Space, size: int, request: Size) -> Hierarchy:
    """W z + b and V x + c: with a normal p(x | z) of one scale, probabilistic PCA.

    One layer of z with ``latent`` coordinates (half as many as x).
    """
    if request.classes or (request.layers or 1) > 1 or request.width or request.blocks:
        raise UsageError(
            "the linear architecture has one layer of z, no labels, no --width and no --blocks"
        )
    return LinearHierarchy(space.shape, size, request.latent or max(1, space.dims // 2))


class LinearHierarchy(Hierarchy):
    """What decides x is W z + b, and q's mean and scale are made of V x + c.

    Source: Tipping and Bishop 1999, doi:10.1111/1467-9868.00196.
    """

    def __init__(self, shape: tuple[int, ...], size: int, latent: int):
        super().__init__()
        self.sizes, dims = (latent,), torch.Size(shape).numel()
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(dims, 2 * latent))
        self.last = nn.Sequential(nn.Linear(latent, dims * size), nn.Unflatten(1, (*shape, size)))

    def encoder_features(self, x: Tensor) -> list[Tensor]:
        """x (N, *shape) itself."""
        return [x]

    def top_state(self, n: int, y: Tensor | None) -> Tensor:
        """Nothing, (n, 0)."""
        return next(self.parameters()).new_zeros(n, 0)

    def posterior_params(self, layer: int, features: Tensor, state: Tensor) -> Tensor:
        """(R, *shape) -> (R, 2 latent)."""
        params: Tensor = self.head(features)
        return params

    def decoder_step(self, layer: int, state: Tensor, z: Tensor) -> Tensor:
        """z (R, latent) itself."""
        return z

    def output(self, state: Tensor) -> Tensor:
        """(R, latent) -> (R, *shape, size)."""
        output: Tensor = self.last(state)
        return output
