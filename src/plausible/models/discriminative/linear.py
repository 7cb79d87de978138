"""Linear regression on one-hot targets: the oldest classifier, in closed form."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from plausible.core.errors import UsageError
from plausible.core.model import Examples, Model, models
from plausible.core.space import Space
from plausible.models.discriminative.affine import Affine

_FLOOR = 1e-3  # what a negative estimate of a probability counts as


@models
class LinearRegression(Affine):
    """min_W sum_n |W x_n + b - e(y_n)|^2 + ridge |W|^2, e the one-hot vector, in closed form.

    The least-squares estimate of E[e(y) | x], which is p(y | x).  Its rows sum to 1, but nothing keeps
    them from leaving [0, 1]: ``log_posterior`` raises what is below 0.001 to that and divides by the
    sum, which changes no decision.
    Source: Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, section 4.2.
    """

    name: ClassVar[str] = "linear"
    default_steps = 1

    @dataclass(frozen=True)
    class Config(Model.Config):
        """Linear regression on one-hot targets."""

        ridge: float = 1.0
        """Weight of |W|^2 beside the sum of squared errors, x in standard units."""

        def __post_init__(self) -> None:
            super().__post_init__()
            if not 0 < self.ridge < math.inf:
                raise UsageError(f"--ridge must be more than 0, not {self.ridge}")

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        super().__init__(space, config or self.Config())

    def fit(self, train: Examples) -> Iterator[Mapping[str, Tensor]]:
        """W = Y' X (X' X + ridge I)^-1 of centred X and Y; the bias is not punished."""
        mean, square = self.moments(train)  # (D,), (D, D)
        cross = torch.zeros_like(self.weight.T, dtype=torch.float64)  # (D, classes)
        counts = torch.zeros_like(self.bias, dtype=torch.float64)  # (classes,)
        for x, y in self.inputs(train):
            target = one_hot(y, self.space.classes).double()  # (n,) -> (n, classes)
            cross.addmm_((x.double() - mean).T, target)
            counts += target.sum(0)
        square.diagonal().add_(self.config.ridge)
        weight = torch.cholesky_solve(cross, torch.linalg.cholesky(square)).T  # (classes, D)
        self.weight.copy_(weight)
        self.bias.copy_(counts / len(train) - weight @ mean)
        # at the minimum sum |e - f|^2 = sum |e - mean of e|^2 - <W, cross> - ridge |W|^2
        explained = (weight.T * cross).sum() + self.config.ridge * weight.square().sum()
        spread = len(train) - counts.square().sum() / len(train)
        yield {"squared error": (spread - explained) / len(train)}

    @torch.no_grad()
    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x) in nats: x (N, *shape) in data units -> (N, classes)."""
        share = self.affine(x).clamp(min=_FLOOR)  # (N, classes)
        return (share / share.sum(1, keepdim=True)).log()
