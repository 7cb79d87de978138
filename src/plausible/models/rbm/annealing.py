"""log Z by annealing: from units that are independent to the machine, and the same path backwards."""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from plausible.models.rbm.energy import Energy, bernoulli, visible_units


@dataclass(frozen=True)
class AnnealingPath:
    """p*_b(v) = exp((1 - b) base.v + b a.v) prod_j (1 + e^(b f_j)), f = preactivation(v), b from 0 to 1.

    At b = 0 the units are independent and Z_0 = 2^H prod_i (1 + e^base_i) is known; at b = 1 it is the
    machine.  On the way there the chain takes one Gibbs step at each b.

    base  (D,), the logits of independent units.
    Sources: Neal 2001, doi:10.1023/A:1008923215028; Salakhutdinov and Murray 2008,
    doi:10.1145/1390156.1390266.
    """

    energy: Energy
    base: Tensor

    @property
    def log_z0(self) -> float:
        """H log 2 + sum_i log(1 + e^base_i)."""
        units = self.energy.weight.shape[1]
        return units * math.log(2) + self.energy.log_z_independent(self.base.double()).item()

    def gibbs(self, v: Tensor, beta: Tensor | float, generator: Generator | None = None) -> Tensor:
        """A step v -> h -> v at inverse temperature beta, which leaves p_beta invariant: (..., D)."""
        h = bernoulli(beta * self.energy.preactivation(v), generator)
        return self._sample_visible(h, beta, generator)

    def log_ratio(self, v: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
        """log p*_high(v) - log p*_low(v): (..., D) -> (...) float64."""
        return self._log_ratio(v, self.energy.preactivation(v), low, high)[0]

    def forward(
        self, chains: int, steps: int, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """(log w, v): E w = Z / Z_0, (chains,) float64, and the states at the end, (chains, D).

        steps  inverse temperatures on the way, evenly spaced; with many, v is close to p(v).
        """
        v = visible_units(self.base.expand(chains, -1), self.energy.classes, generator)
        log_w = torch.zeros(chains, dtype=torch.float64, device=v.device)
        for k in range(1, steps + 1):
            preactivation = self.energy.preactivation(v)
            gained, share = self._log_ratio(v, preactivation, (k - 1) / steps, k / steps)
            log_w += gained
            h = (torch.rand(share.shape, generator=generator, device=v.device) < share).to(v.dtype)
            v = self._sample_visible(h, k / steps, generator)
        return log_w, v

    def end(self, chains: int, steps: int, generator: Generator | None = None) -> Tensor:
        """The v (chains, D) of ``forward``, from the same draws, without the weights."""
        v = visible_units(self.base.expand(chains, -1), self.energy.classes, generator)
        for k in range(1, steps + 1):
            v = self.gibbs(v, k / steps, generator)
        return v

    def backward(self, v: Tensor, steps: int, generator: Generator | None = None) -> Tensor:
        """log w: E w is the probability that ``forward`` ends in v, (N, D) -> (N,) float64.

        log w is below the logarithm of that probability in expectation: a bound of what the path draws, which
        with many steps is the machine, if the machine can be reached by annealing.
        Source: Burda, Grosse and Salakhutdinov 2015 (RAISE), https://arxiv.org/abs/1412.8566.
        """
        log_w = self.energy.neg_free_energy(v).double() - self.log_z0
        preactivation = self.energy.preactivation(v)
        for k in range(steps, 0, -1):
            h = bernoulli(k / steps * preactivation, generator)
            v = self._sample_visible(h, k / steps, generator)
            preactivation = self.energy.preactivation(v)
            log_w -= self._log_ratio(v, preactivation, (k - 1) / steps, k / steps)[0]
        return log_w

    def _sample_visible(
        self, h: Tensor, beta: Tensor | float, generator: Generator | None
    ) -> Tensor:
        """v ~ p_beta(v | h): (..., H) -> (..., D)."""
        bias = self.base + beta * (self.energy.visible - self.base)
        logit = bias + beta * (h @ self.energy.weight.T)
        return visible_units(logit, self.energy.classes, generator)

    def _log_ratio(
        self, v: Tensor, preactivation: Tensor, low: Tensor | float, high: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """log p*_high(v) - log p*_low(v), (...) float64, and P(h = 1 | v) at ``high``, (..., H).

        With s = sigma(high f) the difference of two softplus is -log(1 + s (e^-((high - low) f) - 1)): it
        keeps its precision in float32, which the difference itself would not.
        """
        step = high - low
        share = (high * preactivation).sigmoid()
        units = -torch.log1p(share * torch.expm1(-step * preactivation)).sum(
            -1, dtype=torch.float64
        )
        linear = (v * (self.energy.visible - self.base)).sum(-1, dtype=torch.float64)
        rise = step.squeeze(-1) if isinstance(step, Tensor) else step
        return units + rise * linear, share
