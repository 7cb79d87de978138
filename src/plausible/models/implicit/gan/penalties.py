"""Penalties on the discriminator: pure functions of the round, per example and never of the batch."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from plausible.core.registry import Registry

Critic = Callable[[Tensor], Tensor]
"""x (N, *shape) in standard units -> logits (N,), labels already bound."""


class Point:
    """D at some x: ``logits`` (N,) now, ``gradient`` (N, *shape) of each logit at its x on demand.

    One forward pass serves both.  torch.func.vjp instead of autograd.grad, because a compiler can
    differentiate through it a second time.
    """

    def __init__(self, critic: Critic, x: Tensor):
        self.x = x
        answer = torch.func.vjp(critic, x)
        self.logits: Tensor = answer[0]
        self._pullback: Callable[[Tensor], tuple[Tensor, ...]] = answer[1]

    @cached_property
    def gradient(self) -> Tensor:
        """grad_x D(x), differentiable with respect to D's weights."""
        return self._pullback(torch.ones_like(self.logits))[0]


@dataclass(frozen=True)
class Round:
    """What the discriminator sees in one update: itself, the data and the samples."""

    critic: Critic
    real: Point
    fake: Point


penalties: Registry[Callable[[Round], Tensor]] = Registry("penalty")
"""f(round) -> (N,), to be weighted, averaged and added to the discriminator's cost."""


def _squared_norm(gradient: Tensor) -> Tensor:
    return gradient.flatten(1).float().square().sum(1)  # (N, *shape) -> (N,)


@penalties
def r1(round: Round) -> Tensor:
    """|grad D(x)|^2 / 2 at the data.

    Source: Mescheder et al. 2018, https://arxiv.org/abs/1801.04406.
    """
    return _squared_norm(round.real.gradient) / 2


@penalties
def r2(round: Round) -> Tensor:
    """|grad D(G(z))|^2 / 2 at the samples.

    Source: Mescheder et al. 2018, https://arxiv.org/abs/1801.04406.
    """
    return _squared_norm(round.fake.gradient) / 2
