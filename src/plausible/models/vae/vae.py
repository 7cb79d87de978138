"""Variational autoencoder: log p(x) bounded from below, and the bound raised."""

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn

from plausible.core.capabilities import Posterior
from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.model import Examples, Explicit, models
from plausible.core.schedule import at, cosine
from plausible.core.space import Batch, Space
from plausible.models.vae.architectures import Size, architectures, default
from plausible.models.vae.bounds import (
    averaged,
    doubly_reparameterised,
    drawing,
    log_ratio,
)
from plausible.models.vae.config import VAEConfig
from plausible.models.vae.hierarchy import repeated
from plausible.nn.observation import observation
from plausible.nn.residual import FEW_IMAGES, drop

_DRAWS = 100  # of z for each x, where log p(x) is estimated and nobody says how many
_ROOM = {"cpu": 2**20, "cuda": 2**23}  # numbers that decide pixels, at once
_TOGETHER = 128  # of the x that share a batch of draws


@models
class VAE(Explicit):
    """log p(x) >= E_q log p(x | z) - KL(q(z | x) || p(z)), p(z) = N(0, I): the right side is raised.

    The decoder is p(x | z), every coordinate independent given z; the encoder is q(z | x), normal with
    independent coordinates (given the layers of z above).  What is a variant elsewhere is a number here:

    beta, warm_up   weight of the KL term (Higgins et al. 2017; Bowman et al. 2016)
    free_bits       KL that costs nothing (Kingma et al. 2016, https://arxiv.org/abs/1606.04934)
    importance      log (1/k) sum_i w_i in the place of the bound (IWAE, Burda et al. 2016,
                    https://arxiv.org/abs/1509.00519), by its doubly reparameterised gradient
    layers          of z, a ladder (Sonderby et al. 2016, https://arxiv.org/abs/1602.02282)

    Source: Kingma and Welling 2014, https://arxiv.org/abs/1312.6114.
    """

    name: ClassVar[str] = "vae"
    place: ClassVar[tuple[str, ...]] = (
        "generative, p(x) or p(x | y)", "explicit", "approximate", "variational",
    )  # fmt: skip
    kinds: ClassVar[dict[str, str]] = {"log_prob": "≥"}
    Config = VAEConfig
    config: VAEConfig

    def __init__(self, space: Space, config: VAEConfig | None = None):
        config = config or VAEConfig()
        super().__init__(space, config)
        if config.scale == "shared" and space.levels:
            raise UsageError("--scale is for vectors, and these data lie on grey levels")
        self.observation = observation(space.levels, config.logistics, usual=3)
        shared = config.scale == "shared"
        self.log_scale = nn.Parameter(torch.zeros(())) if shared else None
        size = 1 if shared else self.observation.size
        classes = space.classes if config.conditional else 0
        asked = Size(config.latent, config.layers, config.width, config.blocks, classes)
        self.net = architectures[config.architecture or default(space)](space, size, asked)
        self.importance = config.importance or (1 if space.is_image or config.free_bits else 5)
        # the doubly reparameterised gradient takes every walk twice
        self._steady = self.importance > 1 and self.net.walk_drops
        if self._steady and config.dropout:
            raise UsageError(
                "--dropout does not go with --importance beyond 1 and several layers of z"
            )
        self._beta = cosine(
            0.0 if config.warm_up else config.beta, config.beta, until=config.warm_up
        )

    def setup(self, train: Examples) -> None:
        """Units and class prior, and what part of the units drops out: half where images are few."""
        super().setup(train)
        few = self.space.is_image and len(train) < FEW_IMAGES and not self._steady
        share = self.config.dropout
        drop(self.net, share if share is not None else 0.5 if few else 0.0)

    def players(self) -> Sequence[Player]:
        """One player that moves every weight."""
        config = self.config
        return [
            Player(
                self.name,
                self,
                self.loss,
                lr=cosine(config.lr, config.lr / 100),
                ema=config.ema,
                largest_gradient=config.largest_gradient,
                whole_batch=config.free_bits > 0,
            )
        ]

    def loss(self, batch: Batch, clock: Clock) -> Loss:
        """-E_q log p(x | z) and beta KL, or the negative importance weighted bound; in nats."""
        y = batch.y if self.conditional else None
        point, beta = self._point(batch.x), at(self._beta, clock.progress)
        seen, draws, n = self.net.seen(self.standardise(batch.x)), self.importance, len(batch)
        noise = torch.randn(draws * n, self.dims, device=batch.x.device)  # (R, d)
        if draws == 1:
            walk = self.net(seen, y, drawing(noise), 1)
            likelihood = self._likelihood(self.net.finish(walk), point, 1)[0]  # (1, N) -> (N,)
            kl = paid = walk.posterior.kl  # (N, d)
            if self.config.free_bits:  # what is below its allowance has no slope
                paid = torch.where(kl.mean(0) > self.config.free_bits, kl, self.config.free_bits)
            terms = {"reconstruction": -likelihood, "kl": beta * paid.sum(1)}
        else:
            walk, ratio, factors = doubly_reparameterised(self.net, seen, y, noise, draws)
            given = self.net.decode(walk.z, None if y is None else repeated(y, draws))
            likelihood = self._likelihood(given, point, draws)  # (k, N)
            log_w = likelihood + beta * ratio.view(draws, n)
            factors.append((1 - beta * (1 - log_w.detach().softmax(0))).flatten())
            terms = {"bound": math.log(draws) - log_w.logsumexp(0)}  # (k, N) -> (N,)
        with torch.no_grad():
            told, cost = likelihood.mean(), walk.posterior.kl.sum(1).mean()
            watch = {"ELBO": told - cost, "KL": cost}
            watch["active"] = walk.posterior.active.sum().float()
        return Loss(terms, watch if draws == 1 else {"reconstruction": -told, **watch})

    @property
    def dims(self) -> int:
        """d, the coordinates of z, all layers together."""
        return sum(self.net.sizes)

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        """log (1/k) sum_i p(x | z_i) p(z_i) / q(z_i | x), z_i ~ q: below log p(x) in expectation."""
        draws, numbers = samples or _DRAWS, self.space.dims * self.observation.size
        room = max(1, _ROOM.get(x.device.type, _ROOM["cuda"]) // numbers)  # rows at once
        point = self._point(x) if self.space.levels else x
        x = self.standardise(x) if self.space.levels else x
        parts = []
        for some in torch.arange(len(x), device=x.device).split(min(room, _TOGETHER)):
            labels = None if y is None else y[some]
            seen, log_w = self.net.seen(x[some]), []
            each = max(1, room // max(1, len(some)))
            for k in [each] * (draws // each) + [draws % each] * (draws % each > 0):
                noise = self._normal(k * len(some), generator)
                walk = self.net(seen, labels, drawing(noise), k)
                ratio = log_ratio(walk.z, walk.mean, walk.scale).view(k, len(some))
                log_w.append(self._likelihood(self.net.finish(walk), point[some], k) + ratio)
            parts.append(averaged(torch.cat(log_w)))  # (k, n) -> (n,)
        nats, errors = torch.cat([nats for nats, _ in parts]), [error for _, error in parts]
        stderr = None if draws == 1 else torch.cat([e for e in errors if e is not None])
        reference = Reference.MASS if self.space.levels else Reference.DENSITY
        return LogProb(nats, Kind.LOWER, reference, stderr)

    @torch.no_grad()
    def posterior(
        self,
        x: Tensor,
        y: Tensor | int | None = None,
        *,
        generator: Generator | None = None,
        mean: bool = False,
    ) -> Posterior:
        """q(z | x): x (N, *shape) in data units -> a draw of z, means and scales, (N, d) each.

        mean  z is the mean of q, layer after layer, and not a draw.
        Raises ``UsageError`` for a conditional model that is told no labels, here and below.
        """
        labels = self._told(x, y)
        standard = self.standardise(self._to_device(x)[0])
        noise = self._normal(len(x), generator)
        if mean:
            noise = torch.zeros_like(noise)
        with self.evaluating():
            return self.net(self.net.seen(standard), labels, drawing(noise), 1).posterior

    def encode(
        self,
        x: Tensor,
        y: Tensor | int | None = None,
        generator: Generator | None = None,
        *,
        mean: bool = False,
    ) -> Tensor:
        """z ~ q(z | x), or its mean: x (N, *shape) in data units -> (N, d)."""
        return self.posterior(x, y, generator=generator, mean=mean).z

    @torch.no_grad()
    def log_likelihood(self, x: Tensor, z: Tensor, y: Tensor | int | None = None) -> Tensor:
        """log p(x | z) in nats: x (N, *shape) in data units, z (N, d) -> (N,)."""
        labels = self._told(x, y)
        x, z = self._to_device(x, z)
        with self.evaluating():
            nats = self._likelihood(self.net.decode(z, labels), self._point(x), 1)[0]
        return nats if self.space.levels else nats - self.scale.log().sum()

    @torch.no_grad()
    def reconstruct(self, x: Tensor, y: Tensor | int | None = None) -> Tensor:
        """E[x' | z], z the mean of q(z | x): (N, *shape) in data units -> the same."""
        labels = self._told(x, y)
        with self.evaluating():
            return self.decode(self.encode(x, labels, mean=True), labels)

    def latent(self, n: int, generator: Generator | None = None) -> Tensor:
        """n draws of z ~ N(0, I), (n, d), on the CPU."""
        return torch.randn(n, self.dims, generator=generator)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """E[x | z] in data units, differentiable and off the grid: z (N, d) -> (N, *shape)."""
        x = self.observation.mean(self._numbers(self.net.decode(z, y)))
        return x if self.space.levels else self.restore(x)

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        """z beside what decides each coordinate given z: (n, d + D), all of it N(0, 1)."""
        return torch.randn(n, self.dims + self.space.dims, generator=generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        z, rest = noise.split([self.dims, self.space.dims], 1)
        given, rest = self._numbers(self.net.decode(z, y)), rest.unflatten(1, self.space.shape)
        if not self.space.levels:
            return self.restore(self.observation.draw(given, rest))
        return self.space.decode(self.observation.draw(given, torch.special.ndtr(rest)))

    def _point(self, x: Tensor) -> Tensor:
        """What the observation knows x as: levels, or standard units."""
        return self.space.codes(x) if self.space.levels else self.standardise(x)

    def _numbers(self, given: Tensor) -> Tensor:
        """What the observation needs: (..., size), the shared scale beside the mean where there is one."""
        given = given.float()
        if self.log_scale is None:
            return given
        return torch.cat([given, self.log_scale.expand_as(given)], -1)  # (..., 1) -> (..., 2)

    def _likelihood(self, given: Tensor, point: Tensor, k: int) -> Tensor:
        """log p(x | z): given (k N, *shape, size), point (N, *shape) -> (k, N)."""
        given = self._numbers(given).unflatten(0, (k, len(point)))
        return self.observation.log_prob(given, point).flatten(2).sum(2)  # (k, N, *shape) -> (k, N)

    def _normal(self, n: int, generator: Generator | None) -> Tensor:
        """(n, d) ~ N(0, 1) where the model is; on a GPU by a generator seeded from ``generator``."""
        device = self.offset.device
        if device.type != "cpu" and generator is not None:
            seed = int(torch.randint(2**62, (), generator=generator))
            generator = Generator(device).manual_seed(seed)
        return torch.randn(n, self.dims, generator=generator, device=device)

    def _told(self, x: Tensor, y: Tensor | int | None) -> Tensor | None:
        """Labels (N,) where the model is; None where it knows none."""
        if self.conditional and y is None:
            raise UsageError(f"this {self.name} is conditional: give the labels of x")
        labels = self.labels(len(x), y)
        return None if labels is None else self._to_device(labels)[0]
