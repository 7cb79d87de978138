"""A linear classifier, W x + b for each class: what linear and logistic regression share."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from plausible.core.errors import UsageError
from plausible.core.examples import Examples, batches
from plausible.core.likelihood import Kind
from plausible.core.model import Model
from plausible.core.space import Space

_LARGEST = 16_384  # coordinates of x up to which a matrix over pairs of them is affordable


class LinearClassifier(Model):
    """f(x) = W x + b, one row of W for each class, of x in standard units."""

    place: ClassVar[tuple[str, ...]] = ("discriminative, p(y | x)",)
    family_kinds: ClassVar[Mapping[str, Kind]] = {"log_posterior": Kind.EXACT}

    def __init__(self, space: Space, config: Model.Config):
        super().__init__(space, config)
        space.need_classes("a classifier")
        if space.dims > _LARGEST:
            raise UsageError(
                f"a {self.name} regression compares all pairs of the {space.dims:,} coordinates of x, "
                f"and more than {_LARGEST:,} are too many: choose a smaller --size"
            )
        self.weight = nn.Parameter(torch.zeros(space.classes, space.dims), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(space.classes), requires_grad=False)

    def decision_function(self, x: Tensor) -> Tensor:
        """W x + b, a score for each class: x (N, *shape) in data units -> (N, classes)."""
        return self._flat(x.to(self.offset.device)) @ self.weight.T + self.bias

    def _flat(self, x: Tensor) -> Tensor:
        return self.standardise(x).flatten(1)  # (N, *shape) -> (N, D)

    def flat_batches(self, train: Examples) -> Iterator[tuple[Tensor, Tensor]]:
        """(x (n, D) in standard units, y (n,)) of the examples, a few thousand at a time."""
        for batch in batches(train):
            assert batch.y is not None
            yield self._flat(batch.x), batch.y

    @torch.no_grad()
    def moments(self, train: Examples) -> tuple[Tensor, Tensor]:
        """(mean of x (D,), sum over examples of (x - mean)(x - mean)' (D, D)), in float64."""
        dims, device = self.space.dims, self.offset.device
        total = torch.zeros(dims, dtype=torch.float64, device=device)
        scatter = torch.zeros(dims, dims, dtype=torch.float64, device=device)
        for x, _ in self.flat_batches(train):
            total += x.double().sum(0)
        mean = total / len(train)
        for x, _ in self.flat_batches(train):
            centred = x.double() - mean  # (n, D)
            scatter.addmm_(centred.T, centred)
        return mean, scatter
