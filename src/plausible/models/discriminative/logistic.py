"""Softmax regression: the convex classifier, to its optimum."""

import math
from collections.abc import Callable, Iterator, Mapping
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

_PART = 16_384  # examples of which a step takes the curvature: another part at every step
_CHUNK = 512  # examples whose x stay in the processor's cache between two products
_PRODUCTS = 25  # with the Hessian, at most, in one step


@models
class LogisticRegression(LinearClassifier):
    """p(y | x) = softmax(W x + b), min_W mean_n -log p(y_n | x_n) + l2 |W|^2 / 2.

    Convex, so there is one optimum, and Newton's method goes on until it is there.  The gradient is that
    of all examples; the Hessian of a step is that of a part of them, never formed, and its system is
    solved by conjugate gradients, loosely at first.  Their preconditioner is Boehning's bound of the
    Hessian, X' X / 2 N for each class: pixels are so correlated that they would go nowhere without.
    Sources: Boehning 1992, doi:10.1007/BF00048682; Byrd, Chin, Neveitt and Nocedal 2011,
    doi:10.1137/10079923X; Eisenstat and Walker 1996, doi:10.1137/0917003.
    """

    name: ClassVar[str] = "logistic"
    default_steps = 100

    @dataclass(frozen=True)
    class Config(Model.Config):
        """Softmax regression; a step is a step of Newton's method over all examples."""

        l2: Annotated[float, FINITE] = 5e-4
        """The weight of |W|^2 / 2 beside the mean of -log p(y | x), with x in standard units."""
        tolerance: Annotated[float, FINITE] = 5e-4
        """Stop when Newton's model promises to lower the mean cost by less than this, in nats."""

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        super().__init__(space, config or self.Config())

    def fit(self, train: Examples) -> Iterator[Mapping[str, Tensor]]:
        """Newton's steps on w = (W, b), of centred x with a column of ones: (classes, D + 1)."""
        n, l2 = len(train), self.config.l2
        x, y = (
            torch.cat(parts) for parts in zip(*self.flat_batches(train), strict=True)
        )  # (N, D), (N,)
        mean = x.mean(0)  # (D,)
        x = torch.cat([x.sub_(mean), x.new_ones(n, 1)], 1)  # (N, D) -> (N, D + 1)
        target = one_hot(y, self.space.classes).T.to(x.dtype)  # (N,) -> (classes, N)
        penalty = l2 * x.new_ones(x.shape[1])  # (D + 1,)
        penalty[-1] = 0  # the bias is free
        preconditioner = _boehning_inverse(x[:_PART], penalty)  # (D + 1, D + 1)
        w = x.new_zeros(self.space.classes, x.shape[1])
        scores = w @ x.T  # (classes, N)

        def cost(w: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
            log_p = scores.log_softmax(0)  # (classes, N)
            return (penalty * w.square()).sum() / 2 - (log_p * target).sum() / n, log_p

        current, log_p = cost(w, scores)
        start, decrease = 0, math.inf
        while decrease > self.config.tolerance:
            p = log_p.exp()
            part = slice(start, start + _PART)
            start = part.stop if part.stop + _PART <= n else 0
            gradient = ((p - target) / n) @ x + penalty * w  # (classes, D + 1)
            hessian = _hessian_product(x[part], p[:, part], penalty)
            step = _conjugate_gradients(hessian, gradient, preconditioner)
            decrease = -(gradient * step).sum().item() / 2  # that Newton's model predicts
            score_step, size = step @ x.T, 1.0  # (classes, N)
            new, log_p = cost(w + step, scores + score_step)
            while new > current - 1e-4 * size * decrease and size > 1e-6:
                size /= 2
                new, log_p = cost(w + size * step, scores + size * score_step)
            if size <= 1e-6:
                return  # what is left is below the coarseness of the numbers
            current, w, scores = new, w + size * step, scores + size * score_step
            self.weight.copy_(w[:, :-1])
            self.bias.copy_(w[:, -1] - w[:, :-1] @ mean)
            yield {"cost": current, "promised": torch.tensor(decrease)}

    @torch.no_grad()
    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x) in nats: x (N, *shape) in data units -> (N, classes)."""
        return self.decision_function(x).log_softmax(1)


def _boehning_inverse(x: Tensor, penalty: Tensor) -> Tensor:
    """(X' X / 2 N + diag(penalty))^-1: x (N, D) -> (D, D), computed in float64."""
    bound = (x.T @ x).double() / (2 * len(x))
    bound.diagonal().add_(penalty + 1e-9 * bound.diagonal().mean())  # of constant coordinates too
    inverse: Tensor = torch.linalg.inv(bound)
    return inverse.to(x.dtype)


def _hessian_product(x: Tensor, p: Tensor, penalty: Tensor) -> Callable[[Tensor], Tensor]:
    """v (classes, D) -> H v, H the Hessian of the mean cost of these examples.

    With u = v X', the change of the scores: (p u - p (p' u)) X / N + penalty v.  x (N, D), p (classes, N).
    """
    chunks = list(zip(x.split(_CHUNK), p.split(_CHUNK, 1), strict=True))

    def product(v: Tensor) -> Tensor:
        total = penalty * len(x) * v
        for rows, q in chunks:
            u = q * (v @ rows.T)  # (classes, D) -> (classes, n)
            total.addmm_(u - q * u.sum(0), rows)  # (classes, n) -> (classes, D)
        return total / len(x)

    return product


def _conjugate_gradients(
    hessian: Callable[[Tensor], Tensor], gradient: Tensor, preconditioner: Tensor
) -> Tensor:
    """v with H v = -gradient by preconditioned conjugate gradients, as near as pays off (Eisenstat)."""
    v = torch.zeros_like(gradient)
    residual = -gradient
    preconditioned = residual @ preconditioner
    direction, square = preconditioned, (residual * preconditioned).sum()
    enough = square * min(0.25, square.item() ** 0.5) ** 2
    for _ in range(_PRODUCTS if square > 0 else 0):
        curved = hessian(direction)
        size = square / (direction * curved).sum()
        v = v + size * direction
        residual = residual - size * curved
        preconditioned = residual @ preconditioner
        before, square = square, (residual * preconditioned).sum()
        if square <= enough:
            break
        direction = preconditioned + square / before * direction
    return v
