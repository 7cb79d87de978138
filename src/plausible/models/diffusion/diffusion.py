"""Diffusion and flow matching: an ordinary differential equation takes noise to data."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn

from plausible.core.draws import Draws
from plausible.core.errors import UsageError
from plausible.core.examples import Examples
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.model import Explicit, models
from plausible.core.schedule import cosine
from plausible.core.space import Batch, Space, by_label
from plausible.core.synthesis import Synthesis
from plausible.models.diffusion.average_velocity import AVERAGED, average_errors, jumps, weighed
from plausible.models.diffusion.bound import (
    Denoiser,
    bound_costs,
    seen_through_noise,
    variational_bound,
)
from plausible.models.diffusion.completion import inpaint
from plausible.models.diffusion.config import DiffusionConfig, convolves
from plausible.models.diffusion.levels import Levels
from plausible.models.diffusion.noise_levels import loss_by_noise
from plausible.models.diffusion.pairing import pairings
from plausible.models.diffusion.path import paths
from plausible.models.diffusion.remedies import REMEDIES
from plausible.models.diffusion.solvers import Velocity, evaluations_of, log_density, rk4, solvers
from plausible.nn.residual import set_dropout
from plausible.nn.unet import ConditionedPerceptron, UNet

_WIDTH, _UNITS, _FEW_UNITS = 48, 256, 128  # of images, of vectors, of vectors of few coordinates
_WIDTHS = {32: 0, 48: 60_000, 64: 200_000}  # see ``Model.widths``
_IMAGES, _VECTORS, _FEW_VECTORS = 16, 256, 512  # in one update
_FEW, _OCTAVES = 4, 4  # coordinates whose fine structure can be learned by so many frequencies
_DRAWS = 16  # of noise for each x, where log p(x) is bounded and nobody says how many
_FINE = 24  # steps of the way that tells log p and z, each four evaluations
_EXACT, _PROBES = 16, 4  # dimensions up to which the divergence is exact, and its probes beyond
_COMPLETING, _REPEATS = 32, 4  # steps of a completion, and how often each is taken
_CHUNK = 256  # points on their way at once


@models
class Diffusion(Explicit):
    """dy/dt = v(y, t) takes z ~ N(0, I) to x ~ p(x); a network F learns v, min E |F(y_t, t) - target|^2, y_t = a x + b e.

    Flow matching and diffusion are one family, whose members differ in the path, see ``path``: which mixtures of data and
    noise are shown how often, and what of them is told to the network and asked of it.

    log p is bounded from below on levels (``variational_bound``), and integrated along the way for vectors
    (``log_density``); samples are drawn in a number of steps, which these do not know of.

    Sources: Sohl-Dickstein et al. 2015, https://arxiv.org/abs/1503.03585; Ho et al. 2020, https://arxiv.org/abs/2006.11239;
    Song et al. 2021, https://arxiv.org/abs/2011.13456; Lipman et al. 2023, https://arxiv.org/abs/2210.02747.
    """

    name: ClassVar[str] = "diffusion"
    place: ClassVar[tuple[str, ...]] = (
        "generative, p(x) or p(x | y)", "explicit", "approximate", "variational",
    )  # fmt: skip
    family_kinds: ClassVar[Mapping[str, Kind]] = {"log_prob": Kind.LOWER}
    probe_every: ClassVar[int] = 400
    learns_in_bf16: ClassVar[bool] = True
    loss_per_coordinate: ClassVar[bool] = True
    remedies = REMEDIES
    Config = DiffusionConfig
    config: DiffusionConfig

    def __init__(self, space: Space, config: DiffusionConfig | None = None):
        config = config or DiffusionConfig()
        super().__init__(space, config)
        self.path = paths[config.path](0.5 if space.levels else 1.0)
        self.levels = Levels(space) if space.levels else None
        self.sampler = config  # what it says of drawing, or what is asked for a while
        self.log_prob_has_gradient = bool(space.levels)  # of vectors an integral of many steps
        classes, times = space.classes if config.conditional else 0, 1 + config.average_velocity
        self.convolves = convolves(space)
        self.few = not self.convolves and space.dims <= _FEW
        usual = _WIDTH if self.convolves else _FEW_UNITS if self.few else _UNITS
        self.width = config.width or usual
        self.net: nn.Module
        if self.convolves:
            self.net = UNet(
                space.shape, self.width, config.blocks or 1, times, classes,
                forward_mode=config.average_velocity,
            )  # fmt: skip
        else:
            self.net = ConditionedPerceptron(
                space.dims, self.width, config.blocks or 3, times, classes,
                _OCTAVES if self.few else 0,
            )  # fmt: skip
        set_dropout(self.net, config.dropout)

    @classmethod
    def widths(cls, space: Space) -> dict[int, int]:
        """Of images; experiments/diffusion_width.py has the measurements."""
        return _WIDTHS if convolves(space) else {}

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """A bound on levels; of vectors an integral with the error of its steps."""
        return {"log_prob": Kind.LOWER if self.space.levels else Kind.ESTIMATE}

    @property
    def default_batch(self) -> int:
        """Examples in one update when nobody says how many."""
        return _IMAGES if self.convolves else _FEW_VECTORS if self.few else _VECTORS

    @property
    def default_steps(self) -> int:
        """Rounds to train when nobody says how long."""
        return 20_000 if self.convolves else 5_000

    def setup(self, train: Examples) -> None:
        """Class prior, units, and how often each level occurs."""
        super().setup(train)
        if self.levels:
            self.levels.count(train)

    def players(self) -> Sequence[Player]:
        """One player that moves every weight."""
        config = self.config
        return [
            Player(
                self.name, self, self.loss,
                lr=cosine(config.lr, config.lr / 100, begin=0.5),
                ema=config.ema,
                largest_gradient=config.largest_gradient,
            )
        ]  # fmt: skip

    def loss(self, batch: Batch, clock: Clock) -> Loss:
        """E |F - target|^2 a coordinate, at one noise level an example, these in equal parts of all there are."""
        return self._loss(batch, AVERAGED)

    def loss_beside_a_game(self, batch: Batch, clock: Clock) -> Loss:
        """The same of the velocity alone: averages have moving targets and errors weighed by themselves, which hold nothing."""
        return self._loss(batch, 0.0)

    def _loss(self, batch: Batch, share: float) -> Loss:
        x, n = self.standardise(batch.x), len(batch)
        u = (torch.randperm(n, device=x.device) + torch.rand(n, device=x.device)) / n
        e, y = torch.randn_like(x), None
        if self.conditional:
            assert batch.y is not None
            forgotten = torch.rand(n, device=x.device) < self.config.label_dropout
            y = batch.y.masked_fill(forgotten, self.space.classes)
        if self.config.pairing != "independent":
            e = e.clone()
            for _, rows in by_label(batch.y if self.conditional else None, n):
                e[rows] = pairings[self.config.pairing](x[rows], e[rows])
        if self.config.average_velocity:
            squared = average_errors(self._network, self.path, x, e, u, y, share)
            # as it is, it says how good the model is, and holds it beside a game
            cost = weighed(squared) if self.training and share else squared
        else:
            t = self._column(self.path.times(u))
            f = self._network(self.path.mix(x, e, t), t, y)
            cost = (f - self.path.target(x, e, t)).square().flatten(1).mean(1)  # (N,)
        return Loss({"velocity": cost}, loss_by_noise(cost.detach(), u))

    @contextmanager
    def sampling(
        self, steps: int | None = None, solver: str | None = None, guidance: float | None = None
    ) -> Iterator[None]:
        """Another way from noise to data for a while; None keeps what the run was configured with."""
        before = self.sampler
        asked: dict[str, Any] = {"sampling_steps": steps, "solver": solver, "guidance": guidance}
        self.sampler = replace(before, **{k: v for k, v in asked.items() if v is not None})
        try:
            yield
        finally:
            self.sampler = before

    def latent(self, n: int, generator: Generator | None = None) -> Tensor:
        """n draws of z ~ N(0, I), (n, D), on the CPU."""
        return torch.randn(n, self.space.dims, generator=generator)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """x in data units, differentiable and off the grid: z (N, D) -> (N, *shape)."""
        how, start = self.sampler, self.path.end * z.view(-1, *self.space.shape)  # (N, *shape)
        times = self.path.grid(how.sampling_steps).to(z.device)
        if self.config.average_velocity:
            x = jumps(lambda at, r, t: self._guided(at, t, y, how.guidance, r), start, times)
        else:
            x = solvers[how.solver](self._velocity(y, how.guidance), start, times)
        return self.restore(x)

    @torch.no_grad()
    def encode(
        self,
        x: Tensor,
        y: Tensor | int | None = None,
        generator: Generator | None = None,
        *,
        mean: bool = False,
    ) -> Tensor:
        """The z that the way backwards from x leads to: x (N, *shape) in data units -> (N, D).

        There is one, so ``mean`` changes nothing; a conditional model needs y.
        """
        labels = self.labels_of(x, y)
        x = self.standardise(self._to_device(x))
        with self.evaluating():
            parts = [
                rk4(self._velocity(None if labels is None else labels[rows]), x[rows], self._fine())
                for rows in torch.arange(len(x), device=x.device).split(_CHUNK)
            ]  # fmt: skip
        return torch.cat(parts).flatten(1) / self.path.end

    def inverted_noise(
        self, x: Tensor, y: Tensor | int | None = None, generator: Generator | None = None
    ) -> Tensor:
        """The z that the way backwards from x leads to: x (N, *shape) in data units -> (1, N, D)."""
        return self.encode(x, y)[None]

    @torch.no_grad()
    def reconstruct(self, x: Tensor, y: Tensor | int | None = None) -> Tensor:
        """From x to its z and back, in many steps: (N, *shape) in data units -> the same."""
        labels = self.labels_of(x, y)
        start = self.path.end * self.encode(x, labels).view(-1, *self.space.shape)  # (N, *shape)
        with self.evaluating():
            return self.restore(rk4(self._velocity(labels), start, self._fine().flip(0)))

    @torch.no_grad()
    def complete(
        self,
        x: Tensor,
        known: Tensor,
        y: Tensor | int | None = None,
        *,
        generator: Generator | None = None,
    ) -> Batch:
        """Images of which some pixels are known, the rest drawn so that it fits, approximately: see ``inpaint``.

        x      (N, C, H, W) in data units; what is not known is not looked at.
        known  (H, W) bool, any pixels.
        y      labels; None is no matter which, also of a conditional model.
        """
        if known.shape != self.space.shape[1:]:
            raise UsageError(
                f"what is known of {self.space} has shape {tuple(self.space.shape[1:])}, not {tuple(known.shape)}"
            )
        labels = None if y is None else self._to_device(self.labels(len(x), y))
        x, where = self.standardise(self._to_device(x)), self._to_device(known)
        times = self.path.grid(_COMPLETING).to(x.device)
        with self.evaluating():
            parts = [
                inpaint(
                    self._velocity(None if labels is None else labels[rows], self.sampler.guidance),
                    self.path, x[rows], where, times, _REPEATS, generator,
                )
                for rows in torch.arange(len(x), device=x.device).split(_CHUNK)
            ]  # fmt: skip
        drawn = self._on_levels(self.restore(torch.cat(parts)))
        return Batch(self.space.quantise(torch.where(where, self.restore(x), drawn)), labels)

    def rsample(self, noise: Tensor, y: Tensor | None = None) -> Tensor:
        """What ``_sample`` makes of the same noise (N, D), with the gradient of ``decode``: (N, *shape)."""
        x = self.decode(noise, y)
        return x + (self._on_levels(x) - x).detach()

    @property
    def evaluations(self) -> int:
        """Of its network, that a sample takes."""
        each = 1 if self.config.average_velocity else evaluations_of(self.sampler.solver)
        return self.sampler.sampling_steps * each

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        return self.latent(n, generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        return self._on_levels(self.decode(noise, y))

    def _on_levels(self, x: Tensor) -> Tensor:
        """The most probable level of each coordinate, where there are levels: data units (N, *shape) -> the same."""
        return self.levels.most_probable(x) if self.levels else x

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        """The variational bound on levels, the integral along the way for vectors; ``samples`` draws of noise or probes."""
        levels = self.space.levels
        tell = self._bound if levels else self._integral
        parts = [
            tell(x[rows], None if y is None else y[rows], samples, generator)
            for rows in torch.arange(len(x), device=x.device).split(_CHUNK)
        ]
        errors = [error for _, error in parts if error is not None]
        return LogProb(
            torch.cat([nats for nats, _ in parts]),
            self.kinds["log_prob"],
            Reference.MASS if levels else Reference.DENSITY,
            torch.cat(errors) if errors else None,
        )

    @property
    def mean_draws(self) -> int:
        """Of noise, where log p is bounded; the integral of vectors is another thing."""
        return _DRAWS if self.space.levels else 0

    def class_draws(
        self, x: Tensor, rows: Tensor, y: Tensor, samples: int | None, generator: Generator | None
    ) -> Draws | None:
        """Of every label by the same noise at the same levels of it; of vectors, whose integral is another thing, None."""
        draws = samples or _DRAWS
        if not self.levels:
            return None
        decoding, least = self.levels.decoding(x), self.levels.least
        x, values = self.standardise(x), torch.empty(draws, len(rows), device=x.device)
        for some in torch.arange(len(x), device=x.device).split(_CHUNK):
            mine = torch.isin(rows, some).nonzero()[:, 0]
            denoiser = self._denoiser(y[mine] if self.conditional else None)
            fixed, costs = bound_costs(
                denoiser, x[some], rows[mine] - some[0], decoding[some], least,
                self.path.deviation, draws, generator,
            )  # fmt: skip
            values[:, mine] = -(fixed + costs)
        return Draws(values, self.kinds["log_prob"], Reference.MASS, stratified=True)

    def synthesis(self, x: Tensor, y: Tensor | None, generator: Generator | None) -> Synthesis:
        """E[x | x + s e, y] at a middle level of noise."""
        standard = self.standardise(x) if self.space.levels else x
        seen = seen_through_noise(self._denoiser(y), standard, self.path.deviation, generator)
        return Synthesis(self.restore(seen), "what that class sees of it behind noise")

    def _bound(
        self, x: Tensor, y: Tensor | None, draws: int | None, generator: Generator | None
    ) -> tuple[Tensor, Tensor | None]:
        """Of x (N, *shape) on levels: nats (N,) and their error."""
        assert self.levels
        return variational_bound(
            self._denoiser(y), self.standardise(x), self.levels.decoding(x), self.levels.least,
            self.path.deviation, draws or _DRAWS, generator,
        )  # fmt: skip

    def _integral(
        self, x: Tensor, y: Tensor | None, probes: int | None, generator: Generator | None
    ) -> tuple[Tensor, Tensor | None]:
        """Of x (N, *shape) in standard units: nats (N,) and their error, None where every coordinate is taken."""
        exact = probes is None and self.space.dims <= _EXACT
        base = torch.distributions.Normal(0.0, self.path.end)
        return log_density(
            self._velocity(y), x, self._fine(),
            lambda end: base.log_prob(end).flatten(1).sum(1),
            None if exact else probes or _PROBES, generator,
        )  # fmt: skip

    def _denoiser(self, y: Tensor | None) -> Denoiser:
        def denoised(x: Tensor, e: Tensor, sigma: Tensor) -> Tensor:
            t = self._column(self.path.time(sigma))
            at = self.path.mix(x, e, t)
            f = [
                self._network(at[rows], t[rows], None if y is None else y[rows])
                for rows in torch.arange(len(x), device=x.device).split(_CHUNK)
            ]
            return self.path.denoised(at, torch.cat(f), t)

        return denoised

    def _velocity(self, y: Tensor | None, guidance: float = 1.0) -> Velocity:
        """(points in standard units (N, *shape), t ()) -> dy/dt, with the difference that labels make times ``guidance``."""

        def velocity(at: Tensor, t: Tensor) -> Tensor:
            times = self._column(t.expand(1))  # one row, so that what is told of it is made once
            f = self._guided(at, times, y, guidance)
            return self.path.velocity(at, f, times)

        return velocity

    def _guided(self, at: Tensor, t: Tensor, y: Tensor | None, guidance: float, r: Tensor | None = None) -> Tensor:  # fmt: skip
        """F with the difference that labels make times ``guidance``."""
        f = self._network(at, t, y, r)
        if y is None or guidance == 1:
            return f
        return torch.lerp(self._network(at, t, torch.full_like(y, self.space.classes), r), f, guidance)  # fmt: skip

    def _fine(self) -> Tensor:
        """Times of a fine way from data to noise, (S + 1,)."""
        return self.path.fine(_FINE).to(self.offset.device)

    def _network(self, at: Tensor, t: Tensor, y: Tensor | None, r: Tensor | None = None) -> Tensor:
        """F at points (N, *shape) and times (N, 1, ...) or (1, 1, ...), in float32; r, of a mean velocity, is t where none is given."""
        told = self.path.label(t).flatten(1)  # (N, 1)
        if self.config.average_velocity:
            told = torch.cat([told, (t - (t if r is None else r)).flatten(1)], 1)  # (N, 2)
        seen = self.path.scale(t) * at
        f: Tensor = self.net(seen if self.convolves else seen.flatten(1), told, y)
        return f.float().view_as(at)

    def _column(self, t: Tensor) -> Tensor:
        """(N,) -> (N, 1, ...), beside points."""
        return t.view(-1, *(1,) * len(self.space.shape))
