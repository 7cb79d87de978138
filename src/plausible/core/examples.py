"""The part of the data that a model learns from, as the model sees it."""

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from plausible.core.space import Batch


class Examples(Protocol):
    """What a model may ask of the part of the data it learns from."""

    @property
    def y(self) -> Tensor | None:
        """(N,) labels, or None."""
        ...

    def __len__(self) -> int: ...

    def batch(self, rows: Tensor | slice) -> Batch:
        """The examples of these rows."""
        ...

    def as_batch(self) -> Batch:
        """All of them at once, which for images may be large."""
        ...

    def rows(self, rows: Tensor | slice) -> "Examples":
        """These examples alone."""
        ...


def batches(examples: Examples, size: int = 4096) -> Iterator[Batch]:
    """All examples in order, ``size`` at a time."""
    for start in range(0, len(examples), size):
        yield examples.batch(slice(start, start + size))


def mean(examples: Examples) -> Tensor:
    """The mean of each coordinate in data units, (*shape), without having all examples at once."""
    sums = [batch.x.double().sum(0) for batch in batches(examples)]
    return (torch.stack(sums).sum(0) / len(examples)).float()
