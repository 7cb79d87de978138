"""Variational autoencoder: log p(x) bounded from below, and the bound raised."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn

from plausible.core.capabilities import Posterior
from plausible.core.device import device_generator
from plausible.core.draws import Draws
from plausible.core.errors import UsageError
from plausible.core.examples import Examples
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.model import Explicit, models
from plausible.core.ranks import mean_over_ranks
from plausible.core.schedule import at, cosine
from plausible.core.space import Batch, Space
from plausible.core.synthesis import CoordinateNats, Synthesis
from plausible.models.vae.architectures import Size, architectures, default
from plausible.models.vae.bounds import (
    averaged,
    doubly_reparameterised,
    log_ratio,
    reparameterised,
)
from plausible.models.vae.config import VAEConfig
from plausible.models.vae.hierarchy import Hierarchy, LatentPath, repeated
from plausible.models.vae.optimised_posterior import Pairs, optimised_posterior
from plausible.models.vae.own_networks import OwnHierarchy
from plausible.models.vae.remedies import REMEDIES
from plausible.nn.observation import observation
from plausible.nn.pathwise import draw_pathwise
from plausible.nn.residual import FEW_IMAGES, set_dropout

_DRAWS = 100  # of z for each x, where log p(x) is estimated and nobody says how many
_MEMORY = {"cpu": 2**20, "cuda": 2**23}  # numbers that decide pixels, at once
_CHUNK = 128  # of the x that share a batch of draws


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
    family_kinds: ClassVar[Mapping[str, Kind]] = {"log_prob": Kind.LOWER}
    log_prob_has_gradient = True
    evaluations = 1
    remedies = REMEDIES
    Config = VAEConfig
    config: VAEConfig

    def __init__(
        self,
        space: Space,
        config: VAEConfig | None = None,
        *,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
    ):
        """Networks of one's own take the place of the architecture: see ``own_networks``."""
        config = config or VAEConfig()
        super().__init__(space, config)
        if config.scale == "shared" and space.levels:
            raise UsageError("--scale is for vectors, and these data lie on grey levels")
        self.observation = observation(space.levels, config.logistics, default_logistics=3)
        shared = config.scale == "shared"
        self.log_scale = nn.Parameter(torch.zeros(())) if shared else None
        size = 1 if shared else self.observation.size
        classes = space.classes if config.conditional else 0
        request = Size(config.latent, config.layers, config.width, config.blocks, classes)
        self.net: Hierarchy
        if encoder is None and decoder is None:
            self.net = architectures[config.architecture or default(space)](space, size, request)
        elif encoder is None or decoder is None:
            raise UsageError("an encoder and a decoder of one's own go together: give both")
        else:
            self.own_networks = {"encoder": encoder, "decoder": decoder}
            self.net = OwnHierarchy(encoder, decoder, space, size, config)
        self.ascent_steps = 0  # by which q(z | x) is found, see ``optimising_posterior``
        self.importance = config.importance or (1 if space.is_image or config.free_bits else 5)
        # the doubly reparameterised gradient takes every path twice
        self._no_dropout = self.importance > 1 and self.net.path_dropout
        if self._no_dropout and config.dropout:
            raise UsageError(
                "--dropout does not go with --importance beyond 1 and several layers of z"
            )
        self._beta = cosine(
            0.0 if config.warm_up else config.beta, config.beta, until=config.warm_up
        )

    def setup(self, train: Examples) -> None:
        """Units and class prior, and what part of the units drops out: half where images are few."""
        super().setup(train)
        few = self.space.is_image and len(train) < FEW_IMAGES and not self._no_dropout
        share = self.config.dropout
        if not self.own_networks:
            set_dropout(self.net, share if share is not None else 0.5 if few else 0.0)

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
        targets, beta = self.targets(batch.x), at(self._beta, clock.progress)
        features = self.net.encoder_features(self.standardise(batch.x))
        draws, n = self.importance, len(batch)
        noise = torch.randn(draws * n, self.dims, device=batch.x.device)  # (R, d)
        if draws == 1:
            path = self.net(features, y, reparameterised(noise), 1)
            likelihood = self._likelihood(self.net.finish(path), targets, 1)[0]  # (1, N) -> (N,)
            kl = paid = path.posterior.kl  # (N, d)
            if self.config.free_bits:  # what is below its allowance has no slope
                mean = mean_over_ranks(kl.detach().mean(0))  # (d,)
                paid = torch.where(mean > self.config.free_bits, kl, self.config.free_bits)
            terms = {"reconstruction": -likelihood, "kl": beta * paid.sum(1)}
        else:
            path, ratio, factors = doubly_reparameterised(self.net, features, y, noise, draws)
            params = self.net.decode(path.z, None if y is None else repeated(y, draws))
            likelihood = self._likelihood(params, targets, draws)  # (k, N)
            log_w = likelihood + beta * ratio.view(draws, n)
            factors.append((1 - beta * (1 - log_w.detach().softmax(0))).flatten())
            terms = {"bound": math.log(draws) - log_w.logsumexp(0)}  # (k, N) -> (N,)
        with torch.no_grad():
            log_p, cost = likelihood.mean(), path.posterior.kl.sum(1).mean()
            watch = {"ELBO": log_p - cost, "KL": cost}
            watch["active"] = path.posterior.active.sum().float()
        return Loss(terms, watch if draws == 1 else {"reconstruction": -log_p, **watch})

    @property
    def dims(self) -> int:
        """d, the coordinates of z, all layers together."""
        return sum(self.net.sizes)

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        """log (1/k) sum_i p(x | z_i) p(z_i) / q(z_i | x), z_i ~ q: below log p(x) in expectation."""
        rows = torch.arange(len(x), device=x.device)
        nats, stderr = averaged(self._log_weights(x, rows, y, samples or _DRAWS, generator))
        return LogProb(nats, Kind.LOWER, self._reference, stderr)

    @property
    def mean_draws(self) -> int:
        """0: log p is the log of a mean of weights."""
        return 0

    def class_draws(
        self, x: Tensor, rows: Tensor, y: Tensor, samples: int | None, generator: Generator | None
    ) -> Draws:
        """Of every label by the same noise, from which its z are made."""
        log_w = self._log_weights(
            x, rows, y if self.conditional else None, samples or _DRAWS, generator
        )
        return Draws(log_w, Kind.LOWER, self._reference, weights=True)

    @property
    def _reference(self) -> Reference:
        return Reference.MASS if self.space.levels else Reference.DENSITY

    def _log_weights(
        self,
        x: Tensor,
        rows: Tensor,
        y: Tensor | None,
        draws: int,
        generator: Generator | None,
    ) -> Tensor:
        """log p(x | z_i) p(z_i) / q(z_i | x) of pairs x[rows], y (P,) each, by noise that pairs of an x share: (k, P)."""
        numbers = self.space.dims * self.observation.size
        room = max(1, _MEMORY.get(x.device.type, _MEMORY["cuda"]) // numbers)  # rows at once
        targets = self.space.codes(x) if self.space.levels else x
        x = self.standardise(x) if self.space.levels else x
        log_w = x.new_empty(draws, len(rows))
        for some in torch.arange(len(x), device=x.device).split(min(room, _CHUNK)):
            if not len(some):
                continue
            features = self.net.encoder_features(x[some])
            mine = torch.isin(rows, some).nonzero()[:, 0]
            asked = [
                self._pairs(number, rows[number] - some[0], features, targets[some], y)
                for number in mine.split(len(some))
            ]
            found = [self._optimised(one) for one in asked]
            each, done = max(1, room // len(some)), 0
            for k in [each] * (draws // each) + [draws % each] * (draws % each > 0):
                noise = self._normal(k * len(some), generator).view(k, len(some), -1)
                for one, posterior in zip(asked, found, strict=True):
                    own = noise[:, one.place].flatten(0, 1)  # (k, n, d) -> (k m, d)
                    log_w[done : done + k, one.number] = self._weights(one, posterior, own, k)
                done += k
        return log_w

    def _weights(self, asked: Pairs, posterior: Posterior | None, noise: Tensor, k: int) -> Tensor:
        """log w of m pairs by k draws each, noise (k m, d) -> (k, m)."""
        if posterior is None:
            path = self.net(asked.features, asked.y, reparameterised(noise), k)
            params, z, mean, scale = self.net.finish(path), path.z, path.mean, path.scale
        else:
            mean, scale = (repeated(part, k) for part in (posterior.mean, posterior.scale))
            z = mean + scale * noise
            params = self.net.decode(z, None if asked.y is None else repeated(asked.y, k))
        ratio = log_ratio(z, mean, scale).view(k, -1)
        return self._likelihood(params, asked.targets, k) + ratio

    def _pairs(
        self,
        number: Tensor,
        place: Tensor,
        features: list[Tensor],
        targets: Tensor,
        y: Tensor | None,
    ) -> Pairs:
        """Pairs of their numbers, of x in these places of features and targets, with labels y of all pairs."""
        of_pairs = [f[place] for f in features]
        return Pairs(number, place, of_pairs, targets[place], None if y is None else y[number])

    def _optimised(self, asked: Pairs) -> Posterior | None:
        """q(z | x) around the best z that was found, where that is asked for."""
        if not self.ascent_steps:
            return None
        return optimised_posterior(self.net, asked, self._likelihood, self.ascent_steps)

    @contextmanager
    def optimising_posterior(self, steps: int) -> Iterator[None]:
        """For a while log p(x | y) is bounded at a q(z | x) that so many steps of gradient ascent find; 0 is the encoder's."""
        before, self.ascent_steps = self.ascent_steps, steps
        try:
            yield
        finally:
            self.ascent_steps = before

    def synthesis(self, x: Tensor, y: Tensor | None, generator: Generator | None) -> Synthesis:
        """E[x' | z, y] at the mean of q(z | x, y), or at the best z that is found where that is asked for."""
        back = self.observation.mean(self._params_at_mean(x, y))
        words = "what comes back of it by way of q(z | x, y)"
        return Synthesis(back if self.space.levels else self.restore(back), words)

    def coordinate_nats(self, x: Tensor, y: Tensor | None) -> CoordinateNats:
        """log p(x_i | z, y) at the same z."""
        targets = self.space.codes(x) if self.space.levels else x
        nats = self.observation.log_prob(self._params_at_mean(x, y), targets)
        return CoordinateNats(nats.double(), "log p(x | z, y), at the z of that class")

    def _params_at_mean(self, x: Tensor, y: Tensor | None) -> Tensor:
        """What decides each coordinate at the middle of q(z | x, y): (N, *shape) -> (N, *shape, size)."""
        targets = self.space.codes(x) if self.space.levels else x
        rows = torch.arange(len(x), device=x.device)
        features = self.net.encoder_features(self.standardise(x) if self.space.levels else x)
        asked = self._pairs(rows, rows, features, targets, y)
        posterior = self._optimised(asked)
        if posterior is None:
            noise = x.new_zeros(len(x), self.dims)
            posterior = self.net(features, y, reparameterised(noise), 1).posterior
        return self._params(self.net.decode(posterior.mean, y))

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
        Raises ``UsageError`` for a conditional model without labels, here and below.
        """
        labels = self.labels_of(x, y)
        standard = self.standardise(self._to_device(x))
        noise = self._normal(len(x), generator)
        if mean:
            noise = torch.zeros_like(noise)
        with self.evaluating():
            features = self.net.encoder_features(standard)
            path: LatentPath = self.net(features, labels, reparameterised(noise), 1)
        return path.posterior

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
        labels = self.labels_of(x, y)
        x, z = self._to_device(x), self._to_device(z)
        with self.evaluating():
            nats = self._likelihood(self.net.decode(z, labels), self.targets(x), 1)[0]
        return nats if self.space.levels else nats - self.scale.log().sum()

    @torch.no_grad()
    def reconstruct(self, x: Tensor, y: Tensor | int | None = None) -> Tensor:
        """E[x' | z], z the mean of q(z | x): (N, *shape) in data units -> the same."""
        labels = self.labels_of(x, y)
        with self.evaluating():
            return self.decode(self.encode(x, labels, mean=True), labels)

    def latent(self, n: int, generator: Generator | None = None) -> Tensor:
        """n draws of z ~ N(0, I), (n, d), on the CPU."""
        return torch.randn(n, self.dims, generator=generator)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """E[x | z] in data units, differentiable and off the grid: z (N, d) -> (N, *shape)."""
        x = self.observation.mean(self._params(self.net.decode(z, y)))
        return x if self.space.levels else self.restore(x)

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        """z beside what decides each coordinate given z: (n, d + D), all of it N(0, 1)."""
        return torch.randn(n, self.dims + self.space.dims, generator=generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        z, rest = noise.split([self.dims, self.space.dims], 1)
        params, rest = self._params(self.net.decode(z, y)), rest.unflatten(1, self.space.shape)
        if not self.space.levels:
            return self.restore(self.observation.draw(params, rest))
        return self.space.decode(self.observation.draw(params, torch.special.ndtr(rest)))

    def rsample(self, noise: Tensor, y: Tensor | None = None) -> Tensor:
        """x ~ p(x | z) with its gradient: what ``_sample`` makes of the same noise (N, d + D) -> (N, *shape)."""
        z, rest = noise.split([self.dims, self.space.dims], 1)
        params, rest = self._params(self.net.decode(z, y)), rest.unflatten(1, self.space.shape)
        if not self.space.levels:
            return self.restore(self.observation.draw(params, rest))
        u, levels = torch.special.ndtr(rest), self.space.levels
        return draw_pathwise(self.observation, params, u, levels) / (levels - 1)

    def _params(self, params: Tensor) -> Tensor:
        """What the observation needs: (..., size), the shared scale beside the mean where there is one."""
        params = params.float()
        if self.log_scale is None:
            return params
        return torch.cat([params, self.log_scale.expand_as(params)], -1)  # (..., 1) -> (..., 2)

    def _likelihood(self, params: Tensor, targets: Tensor, k: int) -> Tensor:
        """log p(x | z): params (k N, *shape, size), targets (N, *shape) -> (k, N)."""
        params = self._params(params).unflatten(0, (k, len(targets)))
        return (
            self.observation.log_prob(params, targets).flatten(2).sum(2)
        )  # (k, N, *shape) -> (k, N)

    def _normal(self, n: int, generator: Generator | None) -> Tensor:
        """(n, d) ~ N(0, 1) where the model is; on a GPU by a generator seeded from ``generator``."""
        device = self.offset.device
        if device.type != "cpu" and generator is not None:
            generator = device_generator(device, generator)
        return torch.randn(n, self.dims, generator=generator, device=device)
