"""What a model can do, whatever its family: protocols that a class meets by having the methods."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, runtime_checkable

from torch import Generator, Tensor

from plausible.core.examples import Examples
from plausible.core.game import Clock, Loss
from plausible.core.space import Batch

_ACTIVE = 0.01  # nats


@runtime_checkable
class Classifier(Protocol):
    """Says p(y | x)."""

    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x): x (N, *shape) in data units -> (N, classes)."""
        ...


@runtime_checkable
class Joint(Protocol):
    """Says p(x, y), of which p(y | x) needs no normalising constant."""

    def joint_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x) by the p(y) that was learned: x (N, *shape) in data units -> (N, classes)."""
        ...


@runtime_checkable
class FitsClasses(Protocol):
    """Learns by a method of its own, and where there is a model for each class, from all classes at the end."""

    def fit_classes(
        self, models: Sequence[Any], log_prior: Tensor, train: Examples
    ) -> Iterator[Mapping[str, Tensor]]:
        """Set the weights of these models further, in the order of the classes, each of which has learned from its own."""
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


class Posterior(NamedTuple):
    """q(z | x) = N(mean, scale^2) in the coordinates in which p(z) = N(0, I), and a z from it, (N, d) each."""

    z: Tensor
    mean: Tensor
    scale: Tensor

    @property
    def kl(self) -> Tensor:
        """KL(q || p) of each coordinate, (m^2 + s^2 - 1) / 2 - log s, in nats: (N, d)."""
        return (self.mean.square() + self.scale.square() - 1) / 2 - self.scale.log()

    @property
    def active(self) -> Tensor:
        """Which coordinates of z are used: those whose KL is over 0.01 nats on average, (d,) bool."""
        return self.kl.mean(0) > _ACTIVE


@runtime_checkable
class Encoder(Protocol):
    """Finds a z behind an x, by inference, backwards along its own way, or by a search."""

    def encode(
        self,
        x: Tensor,
        y: Tensor | int | None = None,
        generator: Generator | None = None,
        *,
        mean: bool = False,
    ) -> Tensor:
        """z of x (N, *shape) in data units, (N, d); ``mean`` asks for the middle where there are many."""
        ...


@runtime_checkable
class Invertible(Protocol):
    """Maps every x to the z that it is drawn from: N(0, I) over all x that the model draws."""

    def inverted_noise(
        self, x: Tensor, y: Tensor | int | None = None, generator: Generator | None = None
    ) -> Tensor:
        """z of x (N, *shape) in data units, (K, N, d), K draws where several are as good; a conditional model needs y."""
        ...


@runtime_checkable
class LabelFinder(Protocol):
    """Says under which label it comes nearest to an x."""

    def closest_labels(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """x (N, *shape) in data units -> labels (N,) on the CPU."""
        ...


@runtime_checkable
class Variational(Encoder, Protocol):
    """Infers the z ~ N(0, I) behind an x by an approximate posterior q(z | x)."""

    def posterior(
        self,
        x: Tensor,
        y: Tensor | int | None = None,
        *,
        generator: Generator | None = None,
        mean: bool = False,
    ) -> Posterior:
        """q(z | x) of x (N, *shape) in data units; z is a draw, or the mean.  Conditional models need y."""
        ...

    def log_likelihood(self, x: Tensor, z: Tensor, y: Tensor | int | None = None) -> Tensor:
        """log p(x | z) in nats: x (N, *shape) in data units, z (N, d) -> (N,)."""
        ...


@runtime_checkable
class PosteriorOptimiser(Protocol):
    """Can find q(z | x) by gradient ascent for each x anew, where an encoder only guesses it."""

    def optimising_posterior(self, steps: int) -> AbstractContextManager[None]:
        """Bound log p(x) at a q(z | x) that so many steps find, for a while; 0 takes the encoder's."""
        ...


@runtime_checkable
class HeldOtherwise(Protocol):
    """Is held, while a game refines it, by another loss than the one by which it learns alone."""

    def loss_beside_a_game(self, batch: Batch, clock: Clock) -> Loss:
        """What it pays for data beside the game."""
        ...


@runtime_checkable
class StepSampler(Protocol):
    """Draws samples in steps, of which more are better and fewer are faster."""

    def sampling(
        self, steps: int | None = None, solver: str | None = None, guidance: float | None = None
    ) -> AbstractContextManager[None]:
        """Draw so for a while; None keeps what the model was made with."""
        ...


@runtime_checkable
class Reparameterised(Protocol):
    """Draws samples that move smoothly with its weights while their noise stays, in few evaluations of its networks."""

    def rsample(self, noise: Tensor, y: Tensor | None = None) -> Tensor:
        """The samples that this noise makes, with their gradient, in data units: noise (N, ...) -> (N, *shape)."""
        ...

    @property
    def evaluations(self) -> int:
        """Of its network, that a sample takes."""
        ...


@runtime_checkable
class Adversarial(Protocol):
    """Has a discriminator that tells draws from data, and a cost that each draw pays for it."""

    def logits(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """D's logits as it gives them in training, differentiable: x (N, *shape) in data units -> (N,).

        Where D judges several inputs at once there are as many fewer.
        """
        ...

    def generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """What G pays for each logit ``fake`` (N,) beside as many of data, ``real`` (N,) -> (N,)."""
        ...


@runtime_checkable
class Autoencoder(Protocol):
    """Says what it keeps of an x."""

    def reconstruct(self, x: Tensor, y: Tensor | int | None = None) -> Tensor:
        """x (N, *shape) in data units, from its code alone -> (N, *shape), off the grid."""
        ...


@runtime_checkable
class Chain(Protocol):
    """Has a Markov chain whose steps are public, and which stays where p(x) is."""

    def initial_state(self, n: int, generator: Generator | None = None) -> Tensor:
        """Where chains begin, which is not at data: (n, *shape) in data units where the model is."""
        ...

    def transition(
        self, x: Tensor, y: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """One step of each chain: x (N, *shape) in data units -> the same; y (N,) labels that stay."""
        ...


@runtime_checkable
class Completer(Protocol):
    """Draws the rest of an image of which some pixels are known."""

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


@runtime_checkable
class Autoregressive(Completer, Protocol):
    """Draws an image pixel by pixel, in raster order, and says how probable each pixel was."""

    def surprisal(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """-log p(x_i | x_<i) of each coordinate in nats: (N, C, H, W) -> the same."""
        ...
