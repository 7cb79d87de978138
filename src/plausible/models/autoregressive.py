"""The chain rule, p(x) = prod_i p(x_i | x_<i): scored in one pass, drawn in three exact ways."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol

import torch
from torch import Generator, Tensor

from plausible.core.bounds import COUNT, POSITIVE
from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import Kind, LogProb
from plausible.core.model import Explicit
from plausible.core.schedule import cosine
from plausible.core.space import Batch, Space
from plausible.core.synthesis import CoordinateNats, Synthesis
from plausible.nn.observation import observation


class Incremental(Protocol):
    """A network while images are drawn pixel by pixel: keeps what later pixels need of earlier ones."""

    def row(self, r: int, x: Tensor) -> None:
        """Row r begins; the rows above are final in x (N, C, H, W), in standard units."""
        ...

    def pixel(self, r: int, c: int, x: Tensor) -> Tensor:
        """What the network says of pixel (r, c), (N, C * size), from all that is final in x."""
        ...


class AutoregressiveModel(Explicit):
    """p(x) = prod_i p(x_i | x_<i) over pixels in raster order, in each pixel the channels in order.

    A family makes ``network``, whose output at a coordinate depends on earlier coordinates alone.  Every x_i is drawn from its uniform number u_i by the inverse of its
    distribution function, so that the same u gives the same x whichever way it is drawn:

    naive   a pass over the whole image for each coordinate;
    cached  each layer keeps what it needs, the rows above enter once a row, and a pixel costs a few small
            products (Ramachandran et al. 2017, https://arxiv.org/abs/1704.06001);
    jacobi  x <- draw(p(. | x), u) for all coordinates at once until nothing changes, which happens
            after at most D passes (Song et al. 2021, https://arxiv.org/abs/2002.03629).
    """

    place: ClassVar[tuple[str, ...]] = ("generative, p(x) or p(x | y)", "explicit", "tractable")
    family_kinds: ClassVar[Mapping[str, Kind]] = {"log_prob": Kind.EXACT}
    log_prob_has_gradient = True
    network: Any

    @dataclass(frozen=True)
    class Config(Explicit.Config):
        """An autoregressive model."""

        batch: Annotated[int, COUNT] = 32
        """The number of training examples in one update."""
        conditional: bool = False
        """Learn p(x | y) from labelled data, so that a class can be asked for."""
        logistics: Annotated[int, COUNT] | None = None
        """Say p(x_i | x_<i) as a mixture of so many logistics; by default 10 beyond 32 grey levels."""
        lr: Annotated[float, POSITIVE] = 4e-3
        """The learning rate at the start; it falls to 1% of this."""
        ema: Annotated[float, POSITIVE] = 200_000
        """The half-life of the averaged weights in training examples; at most 5% of those seen."""

    config: Config

    def __init__(self, space: Space, config: Config):
        super().__init__(space, config)
        if not space.is_image or not space.levels:
            raise UsageError(f"{self.name} draws the pixels of images, and these data are vectors")
        self.observation = observation(space.levels, config.logistics)
        self._fastest: dict[tuple[int, str], str] = {}

    def outputs(self, x: Tensor, y: Tensor | None) -> Tensor:
        """What decides each p(x_i | x_<i): x (N, C, H, W) in data units -> (N, C, H, W, size)."""
        params: Tensor = self.network(self.standardise(x), y)  # (N, C * size, H, W)
        split: Tensor = params.unflatten(1, (self.space.shape[0], -1))  # (N, C, size, H, W)
        return split.permute(0, 1, 3, 4, 2)

    def _nats(self, x: Tensor, y: Tensor | None) -> Tensor:
        """log p(x_i | x_<i) of each coordinate, (N, C, H, W)."""
        params = self.outputs(x, y).to(x.dtype)
        return self.observation.log_prob(params, self.space.codes(x))

    def players(self) -> Sequence[Player]:
        """One player that moves every weight."""
        lr = cosine(self.config.lr, self.config.lr / 100)
        return [Player(self.name, self, self.loss, lr=lr, ema=self.config.ema)]

    def loss(self, batch: Batch, clock: Clock) -> Loss:
        """-log p(x | y) in nats."""
        nats = self._nats(batch.x, batch.y if self.conditional else None)
        return Loss({"nll": -nats.flatten(1).sum(1)})  # (N, C, H, W) -> (N,)

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        return LogProb(self._nats(x, y).flatten(1).double().sum(1))  # (N, C, H, W) -> (N,)

    @torch.no_grad()
    def surprisal(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """-log p(x_i | x_<i) of each coordinate in nats: (N, C, H, W) -> the same."""
        labels = self.labels_of(x, y) if self.conditional else None
        return -self._nats(self._to_device(x), labels)

    def coordinate_nats(self, x: Tensor, y: Tensor | None) -> CoordinateNats:
        """log p(x_i | x_<i, y) in raster order, every channel of a pixel with it."""
        return CoordinateNats(self._nats(x, y).double(), "log p(x | y), pixel by pixel", True)

    def synthesis(self, x: Tensor, y: Tensor | None, generator: Generator | None) -> Synthesis:
        """The lower half drawn under each label, given the upper one; by the same numbers for the same x under any label."""
        start = self.space.shape[1] // 2 * self.space.shape[2]
        u = torch.rand(self.space.shape, generator=generator).to(x.device).expand(x.shape)
        drawn = self.draw(u.contiguous(), y, image=x, start=start)
        return Synthesis(drawn, "its lower half drawn anew, as if it were of that class")

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        return torch.rand(n, *self.space.shape, generator=generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        return self.draw(noise, y)

    def draw(
        self, u: Tensor, y: Tensor | None = None, *, image: Tensor | None = None, start: int = 0
    ) -> Tensor:
        """The x of uniform numbers u (N, C, H, W), the fastest way; x (N, C, H, W) on the levels.

        image, start   the first ``start`` pixels in raster order are those of ``image`` (N, C, H, W).
        """
        key = (len(u).bit_length(), u.device.type)
        if key not in self._fastest:
            self._fastest[key] = self._faster_way(u, y)
        x: Tensor = getattr(self, self._fastest[key])(u, y, image=image, start=start)
        return x

    @torch.no_grad()
    def naive(
        self, u: Tensor, y: Tensor | None = None, *, image: Tensor | None = None, start: int = 0
    ) -> Tensor:
        """One pass over whole images for each coordinate."""
        x, (channels, height, width) = self._initial(u, image, start), self.space.shape
        for pixel in range(start, height * width):
            r, c = divmod(pixel, width)
            for k in range(channels):
                params = self.outputs(x, y)[:, k, r, c]  # (N, size)
                x[:, k, r, c] = self._draw_level(params, u[:, k, r, c])
        return x

    @torch.no_grad()
    def cached(
        self,
        u: Tensor,
        y: Tensor | None = None,
        *,
        image: Tensor | None = None,
        start: int = 0,
        rows: int | None = None,
    ) -> Tensor:
        """Each pixel from what the layers have kept; ``rows``: stop after so many."""
        x, (channels, height, width) = self._initial(u, image, start), self.space.shape
        standard = self.standardise(x)
        network: Incremental = self.network.incremental(standard, y)
        for r in range(rows or height):
            network.row(r, standard)
            for c in range(width):
                for k in range(channels):
                    params = network.pixel(r, c, standard).view(len(x), channels, -1)[:, k]
                    if r * width + c >= start:
                        x[:, k, r, c] = self._draw_level(params, u[:, k, r, c])
                        standard[:, k, r, c] = self.standardise(x[:, k, r, c])
        return x

    @torch.no_grad()
    def jacobi(
        self,
        u: Tensor,
        y: Tensor | None = None,
        *,
        image: Tensor | None = None,
        start: int = 0,
        seconds: float = math.inf,
    ) -> Tensor:
        """Guess all pixels, and again, until nothing changes.

        The prefix that no longer changes is final and frozen; finished images are dropped.

        seconds  after so long it raises ``TimeoutError``.
        """
        x, began = self._initial(u, image, start), time.perf_counter()
        final = self._prefix(start).flatten().to(x.device).expand(len(x), -1)  # (N, H W)
        active = torch.arange(len(x), device=x.device)  # images that still change
        while len(active):
            if time.perf_counter() - began > seconds:
                raise TimeoutError
            labels, before = None if y is None else y[active], x[active]
            guess = self._draw_level(self.outputs(before, labels), u[active])
            frozen = final.view(len(active), 1, *self.space.shape[1:])  # (n, 1, H, W)
            guess = torch.where(frozen, before, guess)
            x[active] = guess
            same = (guess == before).all(1).flatten(1)  # (n, C, H, W) -> (n, H W)
            final = same.int().cummin(1).values.bool()  # a prefix that stands still is final
            moving = ~same.all(1)
            active, final = active[moving], final[moving]
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
        x = self.space.quantise(self._to_device(x))
        labels = self._labels_of_rest(x, start, y, generator)
        u = self._to_device(self._noise(len(x), generator))
        return Batch(self.draw(u, labels, image=x, start=start), labels)

    def _labels_of_rest(
        self, x: Tensor, start: int, y: Tensor | int | None, generator: Generator | None
    ) -> Tensor | None:
        """Labels (N,) as asked for, or drawn from p(y | first pixels) by Bayes' rule."""
        if not self.conditional or y is not None:
            return self._to_device(self.labels(len(x), y))
        prefix, joint = self._prefix(start).to(x.device), []
        for label in range(self.space.classes):
            nats = self._nats(x, torch.full((len(x),), label, device=x.device))
            joint.append((nats * prefix).flatten(1).sum(1) + self.log_prior[label])
        posterior = torch.stack(joint, 1).softmax(1).cpu()  # (N, classes)
        return self._to_device(torch.multinomial(posterior, 1, generator=generator)[:, 0])

    def _prefix(self, start: int) -> Tensor:
        """(H, W) bool: the first ``start`` pixels."""
        _, height, width = self.space.shape
        return (torch.arange(height * width) < start).view(height, width)

    def _initial(self, u: Tensor, image: Tensor | None, start: int) -> Tensor:
        """The image before it is drawn: zeros but for its first pixels."""
        x = torch.zeros_like(u)
        return x if image is None else torch.where(self._prefix(start).to(x.device), image, x)

    def _draw_level(self, params: Tensor, u: Tensor) -> Tensor:
        """x of uniform numbers: params (..., size), u (...) -> (...)."""
        assert self.space.levels
        return (self.observation.draw(params, u) / (self.space.levels - 1)).to(u.dtype)

    @torch.no_grad()
    def _faster_way(self, u: Tensor, y: Tensor | None) -> str:
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
