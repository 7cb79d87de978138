"""The chain rule, p(x) = prod_i p(x_i | x_<i): scored in one pass, drawn in three exact ways."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Generator, Tensor

from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import LogProb
from plausible.core.model import Explicit
from plausible.core.schedule import cosine
from plausible.core.space import Batch, Space
from plausible.nn.observation import observation


class Stream(Protocol):
    """An image while it is drawn; keeps what later pixels need of earlier ones."""

    def row(self, r: int, x: Tensor) -> None:
        """Row r begins; the rows above are final in x (N, C, H, W), in standard units."""
        ...

    def pixel(self, r: int, c: int, x: Tensor) -> Tensor:
        """What the network says of pixel (r, c), (N, C * size), from all that is final in x."""
        ...


class Network(Protocol):
    """A network whose answer at a coordinate depends on earlier coordinates alone."""

    def __call__(self, x: Tensor, y: Tensor | None) -> Tensor:
        """x (N, C, H, W) in standard units, y (N,) -> (N, C * size, H, W)."""
        ...

    def stream(self, x: Tensor, y: Tensor | None) -> Stream:
        """A stream for as many images as x has."""
        ...


class Autoregressive(Explicit):
    """p(x) = prod_i p(x_i | x_<i) over pixels in raster order, in each pixel the channels in order.

    A family makes ``network``.  Every x_i is drawn from its uniform number u_i by the inverse of its
    distribution function, so that the same u gives the same x whichever way it is drawn:

    naive   a pass over the whole image for each coordinate;
    cached  each layer keeps what it needs, the rows above enter once a row, and a pixel costs a few small
            products (Ramachandran et al. 2017, https://arxiv.org/abs/1704.06001);
    jacobi  x <- draw(p(. | x), u) for all coordinates at once until nothing changes, which happens
            after at most D passes (Song et al. 2021, https://arxiv.org/abs/2002.03629).
    """

    place: ClassVar[tuple[str, ...]] = ("generative, p(x) or p(x | y)", "explicit", "tractable")
    kinds: ClassVar[dict[str, str]] = {"log_prob": "="}
    network: Any

    @dataclass(frozen=True)
    class Config(Explicit.Config):
        """An autoregressive model."""

        batch: int = 32
        """Training examples in one update."""
        conditional: bool = False
        """Learn p(x | y) from labelled data."""
        logistics: int | None = None
        """Say p(x_i | x_<i) as a mixture of so many logistics; by default 10 beyond 32 grey levels."""
        lr: float = 4e-3
        """Learning rate at the start; it falls to 1% of this."""
        ema: float = 200_000
        """Half-life, in training examples, of the averaged weights; at most 5% of those seen."""

        def __post_init__(self) -> None:
            super().__post_init__()
            if not (self.lr > 0 and self.ema > 0):
                raise UsageError("--lr and --ema must be more than 0")
            if self.logistics is not None and self.logistics < 1:
                raise UsageError(f"--logistics must be at least 1, not {self.logistics}")

    config: Config

    def __init__(self, space: Space, config: Config):
        super().__init__(space, config)
        if not space.is_image or not space.levels:
            raise UsageError(f"{self.name} draws the pixels of images, and these data are vectors")
        self.observation = observation(space.levels, config.logistics)
        self._fastest: dict[tuple[int, str], str] = {}

    def outputs(self, x: Tensor, y: Tensor | None) -> Tensor:
        """What decides each p(x_i | x_<i): x (N, C, H, W) in data units -> (N, C, H, W, size)."""
        given = self.network(self.standardise(x), y)  # (N, C * size, H, W)
        return given.unflatten(1, (self.space.shape[0], -1)).permute(0, 1, 3, 4, 2)

    def _nats(self, x: Tensor, y: Tensor | None) -> Tensor:
        """log p(x_i | x_<i) of each coordinate, (N, C, H, W)."""
        given = self.outputs(x, y).to(x.dtype)
        return self.observation.log_prob(given, self.space.codes(x))

    def players(self) -> Sequence[Player]:
        """One player that moves every weight."""
        lr = cosine(self.config.lr, self.config.lr / 100)
        return [Player(self.name, self, self.loss, lr=lr, ema=self.config.ema)]

    def loss(self, batch: Batch, clock: Clock) -> Loss:
        """-log p(x | y) in nats."""
        return Loss(
            {"nll": -self._nats(batch.x, batch.y if self.conditional else None).flatten(1).sum(1)}
        )

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        return LogProb(self._nats(x, y).flatten(1).double().sum(1))  # (N, C, H, W) -> (N,)

    @torch.no_grad()
    def surprisal(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """-log p(x_i | x_<i) of each coordinate in nats: (N, C, H, W) -> the same."""
        labels = self.labels(len(x), y) if self.conditional and y is not None else None
        if self.conditional and labels is None:
            raise UsageError(f"this {self.name} is conditional: give the labels of x")
        x, *rest = self._to_device(x) if labels is None else self._to_device(x, labels)
        return -self._nats(x, rest[0] if rest else None)

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        return torch.rand(n, *self.space.shape, generator=generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        return self.draw(noise, y)

    def draw(
        self, u: Tensor, y: Tensor | None = None, *, known: Tensor | None = None, start: int = 0
    ) -> Tensor:
        """The x of uniform numbers u (N, C, H, W), the fastest way; x (N, C, H, W) on the levels.

        known, start   the first ``start`` pixels in raster order are those of ``known`` (N, C, H, W).
        """
        key = (len(u).bit_length(), u.device.type)
        if key not in self._fastest:
            self._fastest[key] = self._race(u, y)
        return getattr(self, self._fastest[key])(u, y, known=known, start=start)

    @torch.no_grad()
    def naive(
        self, u: Tensor, y: Tensor | None = None, *, known: Tensor | None = None, start: int = 0
    ) -> Tensor:
        """One pass over whole images for each coordinate."""
        x, (channels, height, width) = self._begun(u, known, start), self.space.shape
        for pixel in range(start, height * width):
            r, c = divmod(pixel, width)
            for k in range(channels):
                given = self.outputs(x, y)[:, k, r, c]  # (N, size)
                x[:, k, r, c] = self._level(given, u[:, k, r, c])
        return x

    @torch.no_grad()
    def cached(
        self,
        u: Tensor,
        y: Tensor | None = None,
        *,
        known: Tensor | None = None,
        start: int = 0,
        rows: int | None = None,
    ) -> Tensor:
        """Each pixel from what the layers have kept; ``rows``: stop after so many."""
        x, (channels, height, width) = self._begun(u, known, start), self.space.shape
        standard = self.standardise(x)
        stream: Stream = self.network.stream(standard, y)
        for r in range(rows or height):
            stream.row(r, standard)
            for c in range(width):
                for k in range(channels):
                    given = stream.pixel(r, c, standard).unflatten(1, (channels, -1))[:, k]
                    if r * width + c >= start:
                        x[:, k, r, c] = self._level(given, u[:, k, r, c])
                        standard[:, k, r, c] = self.standardise(x[:, k, r, c])
        return x

    @torch.no_grad()
    def jacobi(
        self,
        u: Tensor,
        y: Tensor | None = None,
        *,
        known: Tensor | None = None,
        start: int = 0,
        seconds: float = math.inf,
    ) -> Tensor:
        """Guess all pixels, and again, until nothing changes.

        The prefix that no longer changes is final and frozen; finished images are dropped.

        seconds  after so long it raises ``TimeoutError``.
        """
        x, began = self._begun(u, known, start), time.perf_counter()
        settled = self._prefix(start).flatten().to(x.device).expand(len(x), -1)  # (N, H W)
        busy = torch.arange(len(x), device=x.device)  # images that still change
        while len(busy):
            if time.perf_counter() - began > seconds:
                raise TimeoutError
            labels, before = None if y is None else y[busy], x[busy]
            guess = self._level(self.outputs(before, labels), u[busy])
            held = settled.unflatten(1, self.space.shape[1:])[:, None]  # (n, 1, H, W)
            guess = torch.where(held, before, guess)
            x[busy] = guess
            same = (guess == before).all(1).flatten(1)  # (n, C, H, W) -> (n, H W)
            settled = same.int().cummin(1).values.bool()  # a prefix that stands still is final
            moving = ~same.all(1)
            busy, settled = busy[moving], settled[moving]
        return x

    @torch.no_grad()
    def complete(
        self,
        x: Tensor,
        known: Tensor,
        y: Tensor | int | None = None,
        *,
        generator: Generator | None = None,
    ) -> Batch:
        """Draw the rest of images of which some pixels are known, exactly, x ~ p(x | known).

        x      (N, C, H, W) in data units; what is not known is not looked at.
        known  (H, W) bool; must be a prefix in raster order: whole rows, then a part of one.
        y      labels; None on a conditional model draws y ~ p(y | known).
        Raises ``UsageError`` for any other set of pixels, because given those this model cannot draw
        the rest without drawing again and again.
        """
        start = int(known.sum())
        if known.shape != self.space.shape[1:] or not bool(known.flatten()[:start].all()):
            raise UsageError(
                f"a {self.name} draws pixels in raster order, so what is known must be the first rows of "
                f"the image, then perhaps a part of the next one, from the left"
            )
        x = self.space.quantise(self._to_device(x)[0])
        labels = self._labels_given(x, start, y, generator)
        u = self._to_device(self._noise(len(x), generator))[0]
        return Batch(self.draw(u, labels, known=x, start=start), labels)

    def _labels_given(
        self, x: Tensor, start: int, y: Tensor | int | None, generator: Generator | None
    ) -> Tensor | None:
        """Labels (N,) as asked for, or drawn from p(y | first pixels) by Bayes' rule."""
        if not self.conditional or y is not None:
            labels = self.labels(len(x), y)
            return None if labels is None else self._to_device(labels)[0]
        here, joint = self._prefix(start).to(x.device), []
        for label in range(self.space.classes):
            nats = self._nats(x, torch.full((len(x),), label, device=x.device))
            joint.append((nats * here).flatten(1).sum(1) + self.log_prior[label])
        posterior = torch.stack(joint, 1).softmax(1).cpu()  # (N, classes)
        return self._to_device(torch.multinomial(posterior, 1, generator=generator)[:, 0])[0]

    def _prefix(self, start: int) -> Tensor:
        """(H, W) bool: the first ``start`` pixels."""
        _, height, width = self.space.shape
        return (torch.arange(height * width) < start).view(height, width)

    def _begun(self, u: Tensor, known: Tensor | None, start: int) -> Tensor:
        x = torch.zeros_like(u)
        return x if known is None else torch.where(self._prefix(start).to(x.device), known, x)

    def _level(self, given: Tensor, u: Tensor) -> Tensor:
        assert self.space.levels
        return (self.observation.draw(given, u) / (self.space.levels - 1)).to(u.dtype)

    @torch.no_grad()
    def _race(self, u: Tensor, y: Tensor | None) -> str:
        """cached or jacobi: whether jacobi is there before cached, by the time of a row, would be."""
        rows = min(2, self.space.shape[1])
        for _ in range(2):  # the first time is slower
            began = time.perf_counter()
            self.cached(u, y, rows=rows)
            took = time.perf_counter() - began
        try:
            self.jacobi(u, y, seconds=took * self.space.shape[1] / rows)
        except TimeoutError:
            return "cached"
        return "jacobi"
