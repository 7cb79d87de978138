"""log Z by annealing: from units that are independent to the machine, and the same path backwards."""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from plausible.models.rbm.energy import Energy, drawn, visible_units


@dataclass(frozen=True)
class AnnealingPath:
    """p*_b(v) = exp((1 - b) base.v + b a.v) prod_j (1 + e^(b field_j)), b from 0 to 1.

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
        return units * math.log(2) + self.energy.log_count(self.base.double()).item()

    def gibbs(self, v: Tensor, beta: Tensor | float, generator: Generator | None = None) -> Tensor:
        """A step v -> h -> v at inverse temperature beta, which leaves p_beta invariant: (..., D)."""
        return self._down(drawn(beta * self.energy.field(v), generator), beta, generator)

    def gain(self, v: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
        """log p*_high(v) - log p*_low(v): (..., D) -> (...) float64."""
        return self._gain(v, self.energy.field(v), low, high)[0]

    def forward(
        self, chains: int, steps: int, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """(log w, v): E w = Z / Z_0, (chains,) float64, and the states at the end, (chains, D).

        steps  inverse temperatures on the way, evenly spaced; with many, v is close to p(v).
        """
        v = visible_units(self.base.expand(chains, -1), self.energy.classes, generator)
        log_w = torch.zeros(chains, dtype=torch.float64, device=v.device)
        for k in range(1, steps + 1):
            gained, share = self._gain(v, self.energy.field(v), (k - 1) / steps, k / steps)
            log_w += gained
            h = (torch.rand(share.shape, generator=generator, device=v.device) < share).to(v.dtype)
            v = self._down(h, k / steps, generator)
        return log_w, v

    def backward(self, v: Tensor, steps: int, generator: Generator | None = None) -> Tensor:
        """log w: E w is the probability that ``forward`` ends in v, (N, D) -> (N,) float64.

        log w is below the logarithm of that probability in expectation: a bound of what the path draws, which
        with many steps is the machine, if the machine can be reached by annealing.
        Source: Burda, Grosse and Salakhutdinov 2015 (RAISE), https://arxiv.org/abs/1412.8566.
        """
        log_w = self.energy.log_weight(v).double() - self.log_z0
        for k in range(steps, 0, -1):
            v = self.gibbs(v, k / steps, generator)
            log_w -= self.gain(v, (k - 1) / steps, k / steps)
        return log_w

    def _down(self, h: Tensor, beta: Tensor | float, generator: Generator | None) -> Tensor:
        bias = self.base + beta * (self.energy.visible - self.base)
        logit = bias + beta * (h @ self.energy.weight.T)
        return visible_units(logit, self.energy.classes, generator)

    def _gain(
        self, v: Tensor, field: Tensor, low: Tensor | float, high: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """log p*_high(v) - log p*_low(v), (...) float64, and P(h = 1 | v) at ``high``, (..., H).

        With s = sigma(high f) the difference of two softplus is -log(1 + s (e^-((high - low) f) - 1)): it
        keeps its precision in float32, which the difference itself would not.
        """
        step = high - low
        share = (high * field).sigmoid()
        units = -torch.log1p(share * torch.expm1(-step * field)).sum(-1, dtype=torch.float64)
        linear = (v * (self.energy.visible - self.base)).sum(-1, dtype=torch.float64)
        rise = step.squeeze(-1) if isinstance(step, Tensor) else step
        return units + rise * linear, share


@dataclass(frozen=True)
class Estimate:
    """log Z from the weights of annealed chains, how far off, and how many chains count.

    E w is right, so log of its mean is too low in expectation and -F(x) - log Z too high: optimistic.

    log_z  log Z_0 + log (1/M) sum_i w_i.
    error  its standard error to first order: that of the mean of w over the mean of w.
    size   effective sample size (sum w)^2 / sum w^2, from 1 to M.
    """

    log_z: float
    error: float
    size: float


def estimate(log_weights: Tensor, log_z0: float) -> Estimate:
    """log Z of log w (M,), M >= 2, and log Z_0."""
    m, log_w = len(log_weights), log_weights.double()
    size = 1 / log_w.softmax(0).square().sum().item()
    error = math.sqrt(max(m / size - 1, 0.0) / (m - 1))
    return Estimate(log_z0 + log_w.logsumexp(0).item() - math.log(m), error, size)
