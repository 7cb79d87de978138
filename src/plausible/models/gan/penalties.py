"""Penalties on the discriminator: pure functions of one update's D, data and samples, per example and never of the batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from plausible.core.registry import Registry

Critic = Callable[[Tensor], tuple[Tensor, Tensor]]
"""x (N, *shape) in standard units -> logits (N,) and label logits (N, classes or 0); y already bound."""


class CriticAt:
    """D at some x: ``logit`` (N,) now, ``gradient`` (N, *shape) of each logit at its x on demand.

    ``labels`` (N, classes or 0) is what else D said.  One forward pass serves all.  Where a compiler is to differentiate
    through it a second time it is torch.func.vjp, which takes a second to import at its first use.
    """

    def __init__(self, critic: Critic, x: Tensor):
        self.x = x
        self._gradient: Tensor | None = None
        if torch.compiler.is_compiling() or not torch.is_grad_enabled():
            answer: Any = torch.func.vjp(lambda x: tuple(critic(x)), x, has_aux=True)
            self.logit: Tensor = answer[0]
            self._pullback: Callable[[Tensor], tuple[Tensor, ...]] = answer[1]
            self.labels: Tensor = answer[2]
        else:
            at = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
            self.logit, self.labels = critic(at)
            # of a sum, because given an outer gradient of its own autograd.grad imports sympy
            self._pullback = lambda ones: torch.autograd.grad(self.logit.sum(), at, create_graph=True)  # fmt: skip

    @property
    def gradient(self) -> Tensor:
        """grad_x D(x), differentiable with respect to D's weights, made once."""
        # no cached_property, whose lock stops a compiler
        if self._gradient is None:
            self._gradient = self._pullback(torch.ones_like(self.logit))[0]
        return self._gradient


@dataclass(frozen=True)
class PenaltyInput:
    """What the discriminator sees in one update: itself, the data and the samples.

    perturb  a random change of x (N, *shape) that a good D should not mind.
    """

    critic: Critic
    real: CriticAt
    fake: CriticAt
    perturb: Callable[[Tensor], Tensor]


penalties: Registry[Callable[[PenaltyInput], Tensor]] = Registry("penalty")
"""f(inputs) -> (N,), to be weighted, averaged and added to the discriminator's cost."""


def _squared_norm(gradient: Tensor) -> Tensor:
    return gradient.flatten(1).float().square().sum(1)  # (N, *shape) -> (N,)


def _norm(gradient: Tensor) -> Tensor:
    # The root has no derivative at 0, where D is flat.
    return (_squared_norm(gradient) + 1e-12).sqrt()


@penalties
def r1(inputs: PenaltyInput) -> Tensor:
    """|grad D(x)|^2 / 2 at the data.

    Source: Mescheder et al. 2018, https://arxiv.org/abs/1801.04406.
    """
    return _squared_norm(inputs.real.gradient) / 2


@penalties
def r2(inputs: PenaltyInput) -> Tensor:
    """|grad D(G(z))|^2 / 2 at the samples.

    Source: Mescheder et al. 2018, https://arxiv.org/abs/1801.04406.
    """
    return _squared_norm(inputs.fake.gradient) / 2


@penalties
def wgan_gp(inputs: PenaltyInput) -> Tensor:
    """(|grad D(x)| - 1)^2 at x = u x_i + (1 - u) G(z_i), u ~ U(0, 1), between the data and the samples.

    Source: Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028 (there with weight 10).
    """
    real, fake = inputs.real.x, inputs.fake.x
    u = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)  # (N, 1, ...)
    return (_norm(CriticAt(inputs.critic, fake.lerp(real, u)).gradient) - 1).square()


@penalties
def dragan(inputs: PenaltyInput) -> Tensor:
    """(|grad D(x)| - 1)^2 around the data: x = x_i + u std(x) / 2, u ~ U(0, 1) in each coordinate.

    Source: Kodali et al. 2017, https://arxiv.org/abs/1705.07215 (there with weight 10).
    """
    real = inputs.real.x
    noise = torch.rand_like(real) * (real.std() / 2)  # (N, *shape)
    return (_norm(CriticAt(inputs.critic, real + noise).gradient) - 1).square()


@penalties
def consistency(inputs: PenaltyInput) -> Tensor:
    """(D(x) - D(T(x)))^2 at the data and at the samples, T a small shift that changes nothing that counts.

    Sources: Zhang et al. 2020, https://arxiv.org/abs/1910.12027; Zhao et al. 2021 (the samples),
    https://arxiv.org/abs/2002.04724 (both there with weight 10).
    """
    real, fake = (inputs.critic(inputs.perturb(at.x))[0] for at in (inputs.real, inputs.fake))
    return (inputs.real.logit - real).square() + (inputs.fake.logit - fake).square()
