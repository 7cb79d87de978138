"""A claim of the theory, run: what was measured, and whether it holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from plausible.core.registry import Registry

_RESAMPLES = 1000


@dataclass(frozen=True)
class Measured:
    """A number with its interval, and where it must lie for the claim to hold.

    low, high    95% interval; equal where nothing is left to chance.
    least, most  between which the whole interval must lie; None: no bound.
    """

    what: str
    value: float
    low: float
    high: float
    least: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the interval lies where it must.  NaN holds nowhere."""
        above = self.least is None or self.low >= self.least
        below = self.most is None or self.high <= self.most
        return above and below and self.low <= self.value <= self.high


@dataclass(frozen=True)
class Figure:
    """Curves {label: (x, y)}, what the axes are, and which of them are logarithmic: "", x, y or xy."""

    across: str
    upwards: str
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    log: str = ""


@dataclass(frozen=True)
class Claimed:
    """What an experiment found."""

    measured: Sequence[Measured]
    figure: Figure
    second_figure: Figure | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every number lies where it must."""
        return all(number.holds for number in self.measured)


Experiment = Callable[[int], Claimed]

claims: Registry[Experiment] = Registry("claim")
"""Every claim by name, in the order of the course: f(seed) -> Claimed.

The first line of its docstring is the claim itself, the rest is what is done.
"""


def mean(
    what: str, values: Tensor, *, least: float | None = None, most: float | None = None
) -> Measured:
    """The mean of independent values (n,) with its normal interval, 1.96 standard errors."""
    middle, half = (
        values.double().mean().item(),
        1.96 * values.double().std().item() / len(values) ** 0.5,
    )
    return Measured(what, middle, middle - half, middle + half, least, most)


def resampled(
    what: str,
    statistic: Callable[[Tensor], float],
    rows: Tensor,
    *,
    least: float | None = None,
    most: float | None = None,
    draws: int = _RESAMPLES,
) -> Measured:
    """A statistic of rows (n, ...) with its bootstrap interval (Efron 1979), seed 0."""
    generator = torch.Generator().manual_seed(0)
    drawn = [
        statistic(rows[torch.randint(len(rows), (len(rows),), generator=generator)])
        for _ in range(draws)
    ]
    low, high = (
        torch.tensor(drawn, dtype=torch.float64)
        .quantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
        .tolist()
    )
    value = statistic(rows)
    return Measured(what, value, min(low, value), max(high, value), least, most)


def exact(
    what: str, value: float, *, least: float | None = None, most: float | None = None
) -> Measured:
    """A number in which nothing is left to chance."""
    return Measured(what, value, value, value, least, most)
