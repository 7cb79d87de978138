"""From features to a distribution of one coordinate: over its grey levels, or a density."""

import math
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus

from plausible.core.errors import UsageError
from plausible.nn.logistic_mixture import log_mixture_mass

_SHARPEST = -7.0  # log s at least: a logistic narrower than a bin of 256 levels gains nothing ...
_WIDEST = 7.0  # ... and a wider one than this is flat, and takes float32 to its limits
_ORDERED = 32  # levels beyond which their order is worth knowing


class Observation(Protocol):
    """p(k | features) over the levels k = 0 .. L - 1 of a coordinate, or p(v | features) of a real one.

    size  how many numbers a network has to give for each coordinate.
    """

    size: int

    def log_prob(self, params: Tensor, target: Tensor) -> Tensor:
        """log p: params (..., size), target (...) whole k or real v -> (...) nats; axes are broadcast."""
        ...

    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        """The level whose distribution function passes u ~ U(0, 1) first, or mu + s e of e ~ N(0, 1).

        params (..., size), noise u or e (...) -> (...).
        """
        ...

    def mean(self, params: Tensor) -> Tensor:
        """E[k] / (L - 1), a value in [0, 1], or E[v]: params (..., size) -> (...)."""
        ...

    def cdf(self, params: Tensor, codes: Tensor) -> Tensor:
        """P(level <= k) for 0 <= k < L - 1, or P(v' <= v): params (..., size), k or v (...) -> (...)."""
        ...


class Bernoulli:
    """Two levels: P(1) = sigma(a)."""

    size = 1

    def log_prob(self, params: Tensor, target: Tensor) -> Tensor:
        """log sigma(a) of k = 1, log sigma(-a) of k = 0."""
        a = params.squeeze(-1)
        return logsigmoid(a * (2 * target.to(a.dtype) - 1))

    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        """1 where u >= P(0) = sigma(-a)."""
        return (torch.sigmoid(-params.squeeze(-1)) <= noise).long()

    def mean(self, params: Tensor) -> Tensor:
        """P(1)."""
        return torch.sigmoid(params.squeeze(-1))

    def cdf(self, params: Tensor, codes: Tensor) -> Tensor:
        """P(level <= 0) = sigma(-a), the same for every k < 1."""
        return torch.sigmoid(-params.squeeze(-1))


class Categorical:
    """A softmax over L levels that knows nothing of their order."""

    def __init__(self, levels: int):
        self.size = levels

    def log_prob(self, params: Tensor, target: Tensor) -> Tensor:
        """Entry k of the log-softmax."""
        target = target.long().expand(params.shape[:-1])
        return params.log_softmax(-1).gather(-1, target[..., None])[..., 0]

    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        """How many running sums of the softmax u has passed."""
        return (params.softmax(-1).cumsum(-1)[..., :-1] <= noise[..., None]).sum(-1)

    def mean(self, params: Tensor) -> Tensor:
        """sum_k p(k) k / (L - 1)."""
        level = torch.linspace(0, 1, self.size, device=params.device, dtype=params.dtype)
        return params.softmax(-1) @ level  # (..., L) -> (...)

    def cdf(self, params: Tensor, codes: Tensor) -> Tensor:
        """The running sum of the softmax up to k."""
        return params.softmax(-1).cumsum(-1).gather(-1, codes.long()[..., None])[..., 0]


class LogisticMixture:
    """A mixture of M logistic distributions, each level getting the mass of its bin.

    F(v) = sum_m w_m sigma((v - mu_m) / s_m), v = 2 k / (L - 1) - 1; level k gets F at its upper edge
    minus F at its lower edge, the outermost levels everything beyond.  Few numbers say much about many
    ordered levels.
    Source: Salimans et al. 2017 (PixelCNN++), https://arxiv.org/abs/1701.05517.
    """

    def __init__(self, levels: int, components: int = 10):
        self.levels, self.components, self.size = levels, components, 3 * components

    def log_prob(self, params: Tensor, target: Tensor) -> Tensor:
        """log of the difference of two distribution functions, without cancellation.

        sigma(b) - sigma(a) = sigma(b) sigma(-a) (1 - e^(a - b)) for a < b.  Where its gradient is asked for both are
        made at once, which is three times as fast and differs by rounding; it has no second derivative.
        """
        if self._by_hand(params, target):
            return log_mixture_mass(params, target, self.levels, _SHARPEST, _WIDEST)
        log_weight, mean, inverse = self._split(params)
        width = 2 / (self.levels - 1)
        v = (target[..., None] * width - 1).to(params.dtype)
        upper = (v + width / 2 - mean) * inverse  # (..., M)
        lower = (v - width / 2 - mean) * inverse
        inside = logsigmoid(upper) + logsigmoid(-lower) + torch.log(-torch.expm1(-width * inverse))
        first, last = (target == 0)[..., None], (target == self.levels - 1)[..., None]
        log_mass = torch.where(
            first, logsigmoid(upper), torch.where(last, logsigmoid(-lower), inside)
        )
        return (log_weight + log_mass).logsumexp(-1)

    def _by_hand(self, params: Tensor, target: Tensor) -> bool:
        """Whether the gradient is asked for, of numbers that are not repeated; a compiler has its own way."""
        learns = params.requires_grad and torch.is_grad_enabled()
        whole = torch.broadcast_shapes(params.shape[:-1], target.shape) == params.shape[:-1]
        return learns and whole and not torch.compiler.is_compiling()

    def cdf(self, params: Tensor, codes: Tensor) -> Tensor:
        """P(level <= k) for k < L - 1: params (..., size), codes (...) -> (...)."""
        log_weight, mean, inverse = self._split(params)
        return self._below(codes, log_weight.exp(), mean, inverse)

    def _below(self, codes: Tensor, weight: Tensor, mean: Tensor, inverse: Tensor) -> Tensor:
        edge = (codes + 0.5) * (2 / (self.levels - 1)) - 1  # (...)
        inside = torch.sigmoid((edge[..., None] - mean) * inverse)  # (..., M)
        return (inside * weight).sum(-1)

    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        """By halving the levels that are left, log2 L times."""
        log_weight, mean, inverse = self._split(params)
        weight = log_weight.exp()
        low = torch.zeros(noise.shape, dtype=torch.long, device=noise.device)
        high = torch.full_like(low, self.levels - 1)
        for _ in range((self.levels - 1).bit_length()):
            middle = (low + high) // 2
            passed = self._below(middle, weight, mean, inverse) <= noise
            more = passed & (low < high)
            low, high = torch.where(more, middle + 1, low), torch.where(passed, high, middle)
        return low

    def mean(self, params: Tensor) -> Tensor:
        """E of the mixture clipped to [-1, 1], as a value in [0, 1]; in closed form.

        E clip(v) = 1 - integral of F from -1 to 1, and the integral of a logistic F is s softplus.
        It differs from the mean of the levels by less than half a level.
        """
        log_weight, mean, inverse = self._split(params)
        area = (softplus((1 - mean) * inverse) - softplus((-1 - mean) * inverse)) / inverse
        return 1 - (area * log_weight.exp()).sum(-1) / 2  # (..., M) -> (...)

    def _split(self, params: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight, mean, log_s = params.chunk(3, -1)  # (..., M) each
        return weight.log_softmax(-1), mean, torch.exp(-log_s.clamp(_SHARPEST, _WIDEST))


class Normal:
    """A density: N(mu, s^2), s >= e^-7, for continuous coordinates in standard units."""

    size = 2

    def log_prob(self, params: Tensor, target: Tensor) -> Tensor:
        """-((x - mu) / s)^2 / 2 - log s - log(2 pi) / 2: params (..., 2), target (...)."""
        mean, log_s = params[..., 0], self._log_s(params)
        return -((target - mean) * (-log_s).exp()).square() / 2 - log_s - math.log(2 * math.pi) / 2

    def draw(self, params: Tensor, noise: Tensor) -> Tensor:
        """mu + s e of e ~ N(0, 1): (..., 2), (...) -> (...)."""
        return params[..., 0] + self._log_s(params).exp() * noise

    def mean(self, params: Tensor) -> Tensor:
        """mu."""
        return params[..., 0]

    def cdf(self, params: Tensor, codes: Tensor) -> Tensor:
        """Phi((v - mu) / s)."""
        return torch.special.ndtr((codes - params[..., 0]) * (-self._log_s(params)).exp())

    def _log_s(self, params: Tensor) -> Tensor:
        return params[..., 1].clamp(min=_SHARPEST)


def observation(
    levels: int | None, logistics: int | None = None, default_logistics: int = 10
) -> Observation:
    """What suits so many levels: Bernoulli for 2, categorical, or a mixture of logistics beyond 32.

    logistics  how many, for any number of levels beyond 2; by default ``default_logistics`` beyond 32.
    Without levels it is a normal density.  Raises ``UsageError`` for logistics where there is no use for them.
    """
    if logistics and (levels or 0) <= 2:
        raise UsageError("--logistics are for data on more than 2 grey levels")
    if levels is None:
        return Normal()
    if levels == 2:
        return Bernoulli()
    if logistics is None and levels <= _ORDERED:
        return Categorical(levels)
    return LogisticMixture(levels, logistics or default_logistics)


class Params(nn.Module):
    """(N, C size, H, W) -> (N, C, H, W, size), the numbers of one coordinate side by side."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, C size, H, W) -> (N, C, H, W, size)."""
        params: Tensor = x.unflatten(1, (self.channels, -1))  # (N, C, size, H, W)
        return params.movedim(2, -1)
