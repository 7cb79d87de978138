"""What a model of an energy can do beside what every explicit model can."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Generator, Tensor

from plausible.models.rbm.partition import PartitionEstimate


@runtime_checkable
class EnergyBased(Protocol):
    """Knows p(x) up to a constant, log Z, which it estimates from both sides."""

    def log_partition(self) -> Sequence[PartitionEstimate]:
        """log Z, of each class that of p(x | y); too low in expectation where it is estimated."""
        ...

    def raise_lower_bound(
        self, x: Tensor, y: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """log p(x), or log p(x | y), too low in expectation: x (N, *shape), y (N,) -> (N,) float64."""
        ...


@runtime_checkable
class Hidden(Protocol):
    """Has units behind x that are on or off."""

    def hidden(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """P(h = 1 | x), of a conditional model P(h = 1 | x, y): x (N, *shape) in data units -> (N, H)."""
        ...
