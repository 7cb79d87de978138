"""Normalizing flow: log p(x) by the change of variables, exactly, of an invertible network."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Generator, Tensor

from plausible.core.device import device_generator
from plausible.core.draws import Draws
from plausible.core.errors import UsageError
from plausible.core.examples import Examples
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.model import Explicit, models
from plausible.core.schedule import cosine
from plausible.core.space import Batch, Space
from plausible.models.dequantisation import (
    STRETCHES,
    centred,
    dequantised,
    off_the_grid,
    uniform,
)
from plausible.models.flow.architectures import architectures
from plausible.models.flow.config import FlowConfig, few
from plausible.models.flow.remedies import REMEDIES
from plausible.models.vae.bounds import averaged
from plausible.nn.residual import set_dropout

_IMAGES, _VECTORS, _FEW_VECTORS = 64, 256, 1024  # in one update
_DRAWS = 16  # of the place in its level, for each x, where nobody says how many
_PLACES = 4  # of which the noise of grey levels is tested
_MEMORY = 2**19  # numbers of images at once ...
_ROWS = 4096  # ... and points of any kind
_MEASURED = 10_000  # images by which levels are standardised


@models
class Flow(Explicit):
    """x = f^-1(z), z ~ N(0, I), f invertible: log p(x) = log N(f(x); 0, I) + log |det df/dx|, which is raised.

    The determinant is that of a triangular matrix by the make of f, see ``architectures``.  Of vectors log p is exact; grey
    levels are made continuous by uniform noise within each level (``dequantised``), and log p is a bound from below.

    Sources: Rezende and Mohamed 2015, https://arxiv.org/abs/1505.05770; Papamakarios et al. 2021,
    https://arxiv.org/abs/1912.02762.
    """

    name: ClassVar[str] = "flow"
    place: ClassVar[tuple[str, ...]] = ("generative, p(x) or p(x | y)", "explicit", "tractable")
    family_kinds: ClassVar[Mapping[str, Kind]] = {"log_prob": Kind.EXACT}
    log_prob_has_gradient = True
    remedies = REMEDIES
    Config = FlowConfig
    config: FlowConfig
    centre: Tensor
    spread: Tensor

    def __init__(self, space: Space, config: FlowConfig | None = None):
        config = config or FlowConfig()
        super().__init__(space, config)
        if config.preprocessing and not space.levels:
            raise UsageError("--preprocessing is of grey levels, and these data are vectors")
        by_patch = config.architecture == "patches"
        self.stretch = STRETCHES[config.preprocessing or ("affine" if by_patch else "logit")]
        self.size = config.size(space)
        self.net = architectures[config.architecture](space, self.size)
        set_dropout(self.net, config.dropout)
        if space.levels:  # standard units of what the flow sees, once it has seen the training part
            self.register_buffer("centre", torch.zeros(space.shape))
            self.register_buffer("spread", torch.ones(space.shape))

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Exact, and of grey levels a bound."""
        return {"log_prob": Kind.LOWER if self.space.levels else Kind.EXACT}

    @property
    def default_batch(self) -> int:
        """Examples in one update when nobody says how many."""
        if self.space.is_image:
            return _IMAGES
        return _FEW_VECTORS if few(self.space) else _VECTORS

    @property
    def default_steps(self) -> int:
        """Rounds to train when nobody says how long."""
        if not self.space.is_image:
            return 2_000 if few(self.space) else 5_000
        return 20_000 if max(self.space.shape[1:]) > 16 else 3_000

    def setup(self, train: Examples) -> None:
        """Units and class prior, and of grey levels the mean and deviation of each coordinate as the flow sees it."""
        super().setup(train)
        if self.space.levels:
            every = math.ceil(len(train) / _MEASURED)
            x = train.batch(slice(0, None, every)).x
            u = uniform(x, device_generator(x.device, torch.Generator().manual_seed(0)))
            s, _ = self.stretch.forward(dequantised(self.space.codes(x), self.space.levels, u))
            self.centre.copy_(s.mean(0))
            self.spread.copy_(s.std(0, correction=0).clamp(min=1e-3))

    def players(self) -> Sequence[Player]:
        """One player that moves every weight."""
        config, lr = self.config, self.config.learning_rate(self.space)
        return [
            Player(
                self.name, self, self.loss,
                lr=cosine(lr, lr / 100),
                ema=config.ema,
                largest_gradient=config.largest_gradient or max(10.0, float(self.space.dims)),
            )
        ]  # fmt: skip

    def loss(self, batch: Batch, clock: Clock) -> Loss:
        """-log p(x | y) in nats, of grey levels with one draw of the place in each level."""
        y = batch.y if self.conditional else None
        if self.space.levels:
            nats, z, log_det = self._mass(batch.x, y, uniform(batch.x, None))
        else:
            nats, z, log_det = self._density(self.standardise(batch.x), y)
            nats = nats - self.scale.log().sum()
        watch = {"log det": log_det.detach().mean(), "z squared": z.detach().square().mean()}
        return Loss({"nll": -nats}, watch)

    def latent(self, n: int, generator: Generator | None = None) -> Tensor:
        """n draws of z ~ N(0, I), (n, D), on the CPU."""
        return torch.randn(n, self.space.dims, generator=generator)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """f^-1(z) in data units, differentiable and off the grid: z (N, D) -> (N, *shape)."""
        self.need_labels(y)
        s = self.net.inverse(z, y).view(-1, *self.space.shape)
        if not self.space.levels:
            return self.restore(s)
        v = self.stretch.inverse(s * self.spread + self.centre)
        return off_the_grid(v, self.space.levels)

    @torch.no_grad()
    def encode(
        self,
        x: Tensor,
        y: Tensor | int | None = None,
        generator: Generator | None = None,
        *,
        mean: bool = False,
    ) -> Tensor:
        """f(x): x (N, *shape) in data units -> z (N, D), for x off the grid as well; a conditional model needs y.

        Of grey levels each z of a level is as good: one of them is drawn, or ``mean`` takes that of the middle.
        """
        labels, x = self.labels_of(x, y), self._to_device(x)
        levels = self.space.levels
        if levels and not mean:
            u = uniform(x, device_generator(x.device, generator))
            s = self._standard(dequantised(self.space.codes(x), levels, u))[0]
        else:
            s = self._standard(centred(x, levels))[0] if levels else self.standardise(x)
        with self.evaluating():
            return torch.cat(
                [self.net(s[rows], None if labels is None else labels[rows])[0] for rows in self._parts(s)]
            )  # fmt: skip

    def inverted_noise(
        self, x: Tensor, y: Tensor | int | None = None, generator: Generator | None = None
    ) -> Tensor:
        """The z of x, of grey levels those of some places drawn within each: x (N, *shape) in data units -> (K, N, D)."""
        draws = _PLACES if self.space.levels else 1
        return torch.stack([self.encode(x, y, generator) for _ in range(draws)])

    @torch.no_grad()
    def reconstruct(self, x: Tensor, y: Tensor | int | None = None) -> Tensor:
        """From x to its z and back, which is x but for rounding: (N, *shape) in data units -> the same."""
        labels = self.labels_of(x, y)
        z = self.encode(x, labels, mean=True)
        with self.evaluating():
            return self._of_noise(z, labels)

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        return self.latent(n, generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        return self.decode(noise, y)

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        """Exact of vectors; of grey levels log (1/k) sum_i p(k + u_i) / L^D, by ``samples`` draws of u."""
        parts = [
            self._told(x[rows], None if y is None else y[rows], samples or _DRAWS, generator)
            for rows in self._parts(x)
        ]
        nats, errors = zip(*parts, strict=True)
        known = [error for error in errors if error is not None]
        return LogProb(
            torch.cat(nats),
            self.kinds["log_prob"],
            Reference.MASS if self.space.levels else Reference.DENSITY,
            torch.cat(known) if known else None,
        )

    def _told(
        self, x: Tensor, y: Tensor | None, draws: int, generator: Generator | None
    ) -> tuple[Tensor, Tensor | None]:
        """Nats (n,) of x (n, *shape), and their error where they are a mean over draws."""
        if not self.space.levels:
            return self._density(x, y)[0].double(), None
        rows = torch.arange(len(x), device=x.device)
        return averaged(self._log_masses(x, rows, y, draws, generator))  # (k, n) -> (n,)

    @property
    def mean_draws(self) -> int:
        """0: log p is the log of a mean of weights."""
        return 0

    def class_draws(
        self, x: Tensor, rows: Tensor, y: Tensor, samples: int | None, generator: Generator | None
    ) -> Draws | None:
        """Of grey levels, of every label by the same places in them; of vectors, where nothing is drawn, None."""
        if not self.space.levels:
            return None
        log_p, draws = x.new_empty(samples or _DRAWS, len(rows)), samples or _DRAWS
        for some in self._parts(x):
            mine = torch.isin(rows, some).nonzero()[:, 0]
            labels = y[mine] if self.conditional else None
            log_p[:, mine] = self._log_masses(x[some], rows[mine] - some[0], labels, draws, generator).to(log_p.dtype)  # fmt: skip
        return Draws(log_p, self.kinds["log_prob"], Reference.MASS, weights=True)

    def _log_masses(
        self, x: Tensor, rows: Tensor, y: Tensor | None, draws: int, generator: Generator | None
    ) -> Tensor:
        """log p((k + u_i) / L) / L^D of pairs x[rows], y (P,) each, by u that pairs of an x share: (k, P)."""
        on_device = generator if x.device.type == "cpu" else device_generator(x.device, generator)
        each = max(1, self._rows // len(x))  # draws at once
        log_p = []
        for k in [each] * (draws // each) + [draws % each] * (draws % each > 0):
            u = uniform(x.repeat(k, *(1,) * (x.dim() - 1)), on_device).view(k, *x.shape)
            parts = []
            for some in torch.arange(len(rows), device=x.device).split(len(x)):
                place, labels = rows[some], None if y is None else y[some].repeat(k)
                many = x[place].repeat(k, *(1,) * (x.dim() - 1))
                nats = self._mass(many, labels, u[:, place].flatten(0, 1))[0]
                parts.append(nats.view(k, len(some)))
            log_p.append(torch.cat(parts, 1))
        return torch.cat(log_p)

    def _mass(self, x: Tensor, y: Tensor | None, u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """log p((k + u) / L) / L^D of x (N, *shape) on levels: (N,), with z (N, D) and log |det| of the flow (N,)."""
        assert self.space.levels
        s, log_slope = self._standard(dequantised(self.space.codes(x), self.space.levels, u))
        nats, z, log_det = self._density(s, y)
        return nats + log_slope - self.space.dims * math.log(self.space.levels), z, log_det

    def _standard(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """v (N, *shape) in [0, 1] as the flow sees it, with the log of how much that stretched it, (N,)."""
        s, log_slope = self.stretch.forward(v)
        stretched = log_slope - self.spread.double().log()
        s = (s - self.centre) / self.spread
        return s.to(self.spread.dtype), stretched.flatten(1).sum(1).to(self.spread.dtype)

    def _density(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """log N(f(x); 0, I) + log |det| of x (N, *shape) in standard units: (N,), with z (N, D) and log |det| (N,)."""
        z, log_det = self.net(x, y)
        constant = self.space.dims * math.log(2 * math.pi)
        return log_det - (z.square().sum(1) + constant) / 2, z, log_det

    @property
    def _rows(self) -> int:
        """Points at once."""
        return min(_ROWS, max(1, _MEMORY // self.space.dims))

    def _parts(self, x: Tensor) -> Iterator[Tensor]:
        """The rows of x (N, ...), as many at once as memory allows."""
        rows = torch.arange(len(x), device=x.device)
        whole = torch.compiler.is_compiling()  # into a graph, whose number of rows is open
        yield from (rows,) if whole else rows.split(self._rows)
