"""Softmax regression: the convex classifier, to its optimum."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from plausible.core.model import Examples, Model, models
from plausible.core.registry import Refused
from plausible.core.space import Space
from plausible.models.discriminative.affine import Affine

_ITERATIONS = 10  # of L-BFGS in one step
_CURVATURE = 8192  # examples from which the curvature is taken; it only changes the speed


@models
class Logistic(Affine):
    """p(y | x) = softmax(W x + b), min_W -sum_n log p(y_n | x_n) + l2 |W|^2 / 2.

    Convex, so there is one optimum, and L-BFGS over all examples goes on until it is there.  It moves
    in coordinates in which Boehning's bound of the Hessian of the mean cost, X' X / 2 N for each class,
    is the identity: pixels are so correlated that it would need many times the steps without.
    Sources: Boehning 1992, doi:10.1007/BF00048682; Liu and Nocedal 1989, doi:10.1007/BF01589116.
    """

    name: ClassVar[str] = "logistic"
    default_steps = 100

    @dataclass(frozen=True)
    class Config(Model.Config):
        """Softmax regression; a step is ten iterations of L-BFGS over all examples."""

        l2: float = 1.0
        """Weight of |W|^2 / 2 beside the sum of -log p(y | x), x in standard units."""
        tolerance: float = 1e-4
        """Converged when no derivative of the mean cost, in whitened coordinates, exceeds this."""

        def __post_init__(self) -> None:
            super().__post_init__()
            if not (self.l2 > 0 and self.tolerance > 0):
                raise Refused("--l2 and --tolerance must be more than 0")

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        super().__init__(space, config or self.Config())

    def fit(self, train: Examples) -> Iterator[Mapping[str, Tensor]]:
        """L-BFGS on V and c, with W = V L^-1, b = c - W mean and L L' the bound of the Hessian."""
        n, l2 = len(train), self.config.l2
        mean, inverse = self._whitening(train)  # (D,), (D, D)
        x = torch.cat([x for x, _ in self.inputs(train)]).sub_(mean)  # (N, D)
        y = torch.cat([y for _, y in self.inputs(train)])  # (N,)
        target = one_hot(y, self.space.classes).to(x.dtype)  # (N,) -> (N, classes)
        v, c = torch.zeros_like(self.weight), torch.zeros_like(self.bias)

        def cost() -> Tensor:
            weight = v @ inverse  # (classes, D)
            log_p = (x @ weight.T + c).log_softmax(1)  # (N, classes)
            error = (log_p.exp() - target) / n
            v.grad = (error.T @ x + l2 / n * weight) @ inverse.T
            c.grad = error.sum(0)  # (N, classes) -> (classes,)
            return l2 / (2 * n) * weight.square().sum() - (log_p * target).sum() / n

        descent = torch.optim.LBFGS(
            [v, c],
            max_iter=_ITERATIONS,
            tolerance_grad=self.config.tolerance,
            tolerance_change=0,
            history_size=20,
            line_search_fn="strong_wolfe",
        )
        slope = torch.tensor(torch.inf)
        while slope > self.config.tolerance:
            descent.step(cost)
            weight = v @ inverse
            self.weight.copy_(weight)
            self.bias.copy_(c - weight @ mean)
            after = cost()
            assert v.grad is not None
            assert c.grad is not None
            slope = torch.stack([v.grad.abs().max(), c.grad.abs().max()]).max()
            yield {"cost": after, "largest derivative": slope}

    def _whitening(self, train: Examples) -> tuple[Tensor, Tensor]:
        """(mean of x (D,), L^-1 (D, D)) with L L' = X' X / 2 N + l2 / N I of centred X."""
        some = train.rows(slice(0, _CURVATURE))
        mean, square = self.moments(some)
        square.div_(2 * len(some)).diagonal().add_(self.config.l2 / len(train))
        unit = torch.eye(len(square), dtype=square.dtype, device=square.device)
        lower = torch.linalg.cholesky(square)
        inverse = torch.linalg.solve_triangular(lower, unit, upper=False)
        return mean.to(self.weight.dtype), inverse.to(self.weight.dtype)

    @torch.no_grad()
    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x) in nats: x (N, *shape) in data units -> (N, classes)."""
        return self.affine(x).log_softmax(1)
