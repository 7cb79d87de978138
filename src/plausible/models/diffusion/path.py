"""Paths from data to noise, as numbers: y_t = a(t) x + b(t) e, and what a network F says at a point of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from plausible.core.registry import Registry


class Path(Protocol):
    """y_t = a(t) x + b(t) e, e ~ N(0, I); times t and noise ratios sigma = b / a are of any shape.

    The network F sees ``scale`` y and is told ``label``; it learns ``target`` by least squares, as all parameterisations
    do that differ in weights alone (Karras et al. 2022, https://arxiv.org/abs/2206.00364).

    deviation  of the data, in standard units.
    end        the time at which sampling begins, where y = end * z.
    """

    @property
    def deviation(self) -> float:
        """Of the data."""
        ...

    @property
    def end(self) -> float:
        """At which sampling begins."""
        ...

    def times(self, u: Tensor) -> Tensor:
        """Where to learn: u ~ U(0, 1) -> t."""
        ...

    def mix(self, x: Tensor, e: Tensor, t: Tensor) -> Tensor:
        """y_t."""
        ...

    def scale(self, t: Tensor) -> Tensor:
        """What y is multiplied with before the network sees it."""
        ...

    def label(self, t: Tensor) -> Tensor:
        """What the network is told of t."""
        ...

    def target(self, x: Tensor, e: Tensor, t: Tensor) -> Tensor:
        """What F should be on average."""
        ...

    def denoised(self, y: Tensor, f: Tensor, t: Tensor) -> Tensor:
        """E[x | y_t = y]."""
        ...

    def velocity(self, y: Tensor, f: Tensor, t: Tensor) -> Tensor:
        """E[dy_t / dt | y_t = y], along which points of p(y_t) move to points of all other times."""
        ...

    def ratio(self, t: Tensor) -> Tensor:
        """sigma."""
        ...

    def time(self, sigma: Tensor) -> Tensor:
        """The t at which b / a = sigma."""
        ...

    def grid(self, steps: int) -> Tensor:
        """Times of a way from noise to data, (steps + 1,): from ``end`` to 0."""
        ...

    def fine(self, steps: int) -> Tensor:
        """Times of a way from data to noise on which the velocity exists everywhere, (steps + 1,)."""
        ...


paths: Registry[Callable[[float], Path]] = Registry("path")
"""Every path, by name: made for data of this deviation."""


@paths
@dataclass(frozen=True)
class Straight:
    """y_t = (1 - t) x + t e, t uniform in [0, 1]: F is the velocity e - x.

    Sources: Lipman et al. 2023, https://arxiv.org/abs/2210.02747; Liu et al. 2023, https://arxiv.org/abs/2209.03003.
    """

    deviation: float = 0.5
    end: float = 1.0

    def times(self, u: Tensor) -> Tensor:
        """t = u."""
        return u

    def mix(self, x: Tensor, e: Tensor, t: Tensor) -> Tensor:
        """(1 - t) x + t e."""
        return torch.lerp(x, e, t)

    def scale(self, t: Tensor) -> Tensor:
        """1."""
        return torch.ones_like(t)

    def label(self, t: Tensor) -> Tensor:
        """t."""
        return t

    def target(self, x: Tensor, e: Tensor, t: Tensor) -> Tensor:
        """e - x."""
        return e - x

    def denoised(self, y: Tensor, f: Tensor, t: Tensor) -> Tensor:
        """y - t F."""
        return y - t * f

    def velocity(self, y: Tensor, f: Tensor, t: Tensor) -> Tensor:
        """F."""
        return f

    def ratio(self, t: Tensor) -> Tensor:
        """t / (1 - t)."""
        return t / (1 - t)

    def time(self, sigma: Tensor) -> Tensor:
        """sigma / (1 + sigma)."""
        return sigma / (1 + sigma)

    def grid(self, steps: int) -> Tensor:
        """t = 2 s / (1 + s) at equal steps of s: shorter ones where there is more noise, and what will be is decided."""
        s = torch.linspace(1, 0, steps + 1)
        return 2 * s / (1 + s)

    def fine(self, steps: int) -> Tensor:
        """t = s^2 at equal steps of s: shorter ones near the data, where thin structure turns the way."""
        return torch.linspace(0, 1, steps + 1).square()


@paths
@dataclass(frozen=True)
class EDM:
    """y_s = x + s e, ln s ~ N(-1.2, 1.2^2); F is preconditioned so that what it sees and what it learns have variance 1.

    E[x | y] = c_skip y + c_out F(c_in y), with c_skip = d^2 / (s^2 + d^2), c_out = s d / sqrt(s^2 + d^2),
    c_in = 1 / sqrt(s^2 + d^2), d the deviation of the data; s from 80 to 0.002, equal steps in s^(1/7).
    Source: Karras et al. 2022, https://arxiv.org/abs/2206.00364.
    """

    deviation: float = 0.5
    end: float = 80.0
    least: float = 0.002
    mean: float = -1.2
    spread: float = 1.2
    rho: float = 7.0

    def times(self, u: Tensor) -> Tensor:
        """exp(mean + spread Phi^-1(u))."""
        normal: Tensor = torch.special.ndtri(u.double()).to(u.dtype)
        return torch.exp(self.mean + self.spread * normal).clamp(self.least, self.end)

    def mix(self, x: Tensor, e: Tensor, t: Tensor) -> Tensor:
        """x + s e."""
        return x + t * e

    def scale(self, t: Tensor) -> Tensor:
        """c_in."""
        return 1 / self._width(t)

    def label(self, t: Tensor) -> Tensor:
        """ln(s) / 4."""
        return t.clamp(min=self.least).log() / 4

    def target(self, x: Tensor, e: Tensor, t: Tensor) -> Tensor:
        """(x - c_skip y) / c_out."""
        return (x - self._skip(t) * self.mix(x, e, t)) / self._out(t)

    def denoised(self, y: Tensor, f: Tensor, t: Tensor) -> Tensor:
        """c_skip y + c_out F."""
        return self._skip(t) * y + self._out(t) * f

    def velocity(self, y: Tensor, f: Tensor, t: Tensor) -> Tensor:
        """(y - E[x | y]) / s."""
        t = t.clamp(min=self.least)
        return (y - self.denoised(y, f, t)) / t

    def ratio(self, t: Tensor) -> Tensor:
        """s."""
        return t

    def time(self, sigma: Tensor) -> Tensor:
        """s."""
        return sigma

    def grid(self, steps: int) -> Tensor:
        """Equal steps in s^(1 / rho) down to the least, then 0."""
        return torch.cat([self._times(steps), torch.zeros(1)])

    def fine(self, steps: int) -> Tensor:
        """Equal steps in s^(1 / rho) from the least."""
        return self._times(steps + 1).flip(0)

    def _times(self, count: int) -> Tensor:
        ends = torch.tensor([self.end, self.least], dtype=torch.float64) ** (1 / self.rho)
        share = torch.linspace(0, 1, count, dtype=torch.float64)
        return torch.lerp(ends[0], ends[1], share).pow(self.rho).float()

    def _width(self, t: Tensor) -> Tensor:
        return (t.square() + self.deviation**2).sqrt()

    def _skip(self, t: Tensor) -> Tensor:
        return self.deviation**2 / self._width(t).square()

    def _out(self, t: Tensor) -> Tensor:
        return t * self.deviation / self._width(t)
