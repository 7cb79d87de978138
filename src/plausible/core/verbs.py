"""What a model can do, whatever its family: protocols that a class meets by having the methods."""

from typing import Protocol, runtime_checkable

from torch import Generator, Tensor

from plausible.core.space import Batch


@runtime_checkable
class Classifier(Protocol):
    """Says p(y | x)."""

    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x): x (N, *shape) in data units -> (N, classes)."""
        ...


@runtime_checkable
class Latent(Protocol):
    """Has a space of z ~ N(0, I) behind its x."""

    def latent(self, n: int, generator: Generator | None = None) -> Tensor:
        """n draws of z, (n, d), on the CPU."""
        ...

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """x in data units, differentiable and off the grid: z (N, d) -> (N, *shape)."""
        ...


@runtime_checkable
class Chain(Protocol):
    """Is sampled by a Markov chain whose steps are public."""

    def transition(
        self, x: Tensor, y: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """One step of the chain: x (N, *shape) -> (N, *shape)."""
        ...


@runtime_checkable
class Raster(Protocol):
    """Draws an image pixel by pixel, in raster order, and says how probable each pixel was."""

    def surprise(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """-log p(x_i | x_<i) of each coordinate in nats: (N, C, H, W) -> the same."""
        ...

    def complete(
        self,
        x: Tensor,
        known: Tensor,
        y: Tensor | int | None = None,
        *,
        generator: Generator | None = None,
    ) -> Batch:
        """x ~ p(x | known pixels): x (N, C, H, W), known (H, W) bool."""
        ...
