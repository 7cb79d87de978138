"""Linear regression on one-hot targets: the oldest classifier, in closed form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from plausible.core.bounds import FINITE
from plausible.core.examples import Examples
from plausible.core.model import Model, models
from plausible.core.space import Space
from plausible.models.discriminative.linear_classifier import LinearClassifier

_FLOOR = 1e-3  # what a negative estimate of a probability counts as


@models
class LinearRegression(LinearClassifier):
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

        ridge: Annotated[float, FINITE] = 1.0
        """The weight of |W|^2 beside the sum of squared errors, with x in standard units."""

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        super().__init__(space, config or self.Config())

    def fit(self, train: Examples) -> Iterator[Mapping[str, Tensor]]:
        """W = Y' X (X' X + ridge I)^-1 of centred X and Y; the bias is not punished."""
        mean, scatter = self.moments(train)  # (D,), (D, D)
        cross = torch.zeros_like(self.weight.T, dtype=torch.float64)  # (D, classes)
        counts = torch.zeros_like(self.bias, dtype=torch.float64)  # (classes,)
        for x, y in self.flat_batches(train):
            target = one_hot(y, self.space.classes).double()  # (n,) -> (n, classes)
            cross.addmm_((x.double() - mean).T, target)
            counts += target.sum(0)
        scatter.diagonal().add_(self.config.ridge)
        weight = torch.cholesky_solve(cross, torch.linalg.cholesky(scatter)).T  # (classes, D)
        self.weight.copy_(weight)
        self.bias.copy_(counts / len(train) - weight @ mean)
        # at the minimum sum |e - f|^2 = sum |e - mean of e|^2 - <W, cross> - ridge |W|^2
        explained = (weight.T * cross).sum() + self.config.ridge * weight.square().sum()
        total = len(train) - counts.square().sum() / len(train)
        yield {"squared error": (total - explained) / len(train)}

    @torch.no_grad()
    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x) in nats: x (N, *shape) in data units -> (N, classes)."""
        share = self.decision_function(x).clamp(min=_FLOOR)  # (N, classes)
        return (share / share.sum(1, keepdim=True)).log()
