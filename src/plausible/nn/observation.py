"""From features to a distribution of one coordinate: over its grey levels, or a density."""

import math
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, softplus

from plausible.core.errors import UsageError

_SHARPEST = -7.0  # log s at least: a logistic narrower than a bin of 256 levels gains nothing ...
_WIDEST = 7.0  # ... and a wider one than this is flat, and takes float32 to its limits
_MANY = 32  # levels beyond which their order is worth knowing


class Observation(Protocol):
    """p(k | features) over the levels k = 0 .. L - 1 of a coordinate, or p(v | features) of a real one.

    size  how many numbers a network has to give for each coordinate.
    """

    size: int

    def log_prob(self, given: Tensor, point: Tensor) -> Tensor:
        """log p: given (..., size), point (...) whole k or real v -> (...) nats; axes are broadcast."""
        ...

    def draw(self, given: Tensor, noise: Tensor) -> Tensor:
        """The level whose distribution function passes u ~ U(0, 1) first, or mu + s e of e ~ N(0, 1).

        given (..., size), noise u or e (...) -> (...).
        """
        ...

    def mean(self, given: Tensor) -> Tensor:
        """E[k] / (L - 1), a value in [0, 1], or E[v]: given (..., size) -> (...)."""
        ...


class Bernoulli:
    """Two levels: P(1) = sigma(a)."""

    size = 1

    def log_prob(self, given: Tensor, point: Tensor) -> Tensor:
        """log sigma(a) of k = 1, log sigma(-a) of k = 0."""
        a = given.squeeze(-1)
        return logsigmoid(a * (2 * point.to(a.dtype) - 1))

    def draw(self, given: Tensor, noise: Tensor) -> Tensor:
        """1 where u >= P(0) = sigma(-a)."""
        return (torch.sigmoid(-given.squeeze(-1)) <= noise).long()

    def mean(self, given: Tensor) -> Tensor:
        """P(1)."""
        return torch.sigmoid(given.squeeze(-1))


class Categorical:
    """A softmax over L levels that knows nothing of their order."""

    def __init__(self, levels: int):
        self.size = levels

    def log_prob(self, given: Tensor, point: Tensor) -> Tensor:
        """Entry k of the log-softmax."""
        point = point.long().expand(given.shape[:-1])
        return given.log_softmax(-1).gather(-1, point[..., None])[..., 0]

    def draw(self, given: Tensor, noise: Tensor) -> Tensor:
        """How many running sums of the softmax u has passed."""
        return (given.softmax(-1).cumsum(-1)[..., :-1] <= noise[..., None]).sum(-1)

    def mean(self, given: Tensor) -> Tensor:
        """sum_k p(k) k / (L - 1)."""
        level = torch.linspace(0, 1, self.size, device=given.device, dtype=given.dtype)
        return given.softmax(-1) @ level  # (..., L) -> (...)


class LogisticMixture:
    """A mixture of M logistic distributions, each level getting the mass of its bin.

    F(v) = sum_m w_m sigma((v - mu_m) / s_m), v = 2 k / (L - 1) - 1; level k gets F at its upper edge
    minus F at its lower edge, the outermost levels everything beyond.  Few numbers say much about many
    ordered levels.
    Source: Salimans et al. 2017 (PixelCNN++), https://arxiv.org/abs/1701.05517.
    """

    def __init__(self, levels: int, components: int = 10):
        self.levels, self.components, self.size = levels, components, 3 * components

    def log_prob(self, given: Tensor, point: Tensor) -> Tensor:
        """log of the difference of two distribution functions, without cancellation.

        sigma(b) - sigma(a) = sigma(b) sigma(-a) (1 - e^(a - b)) for a < b.
        """
        log_weight, mean, inverse = self._split(given)
        width = 2 / (self.levels - 1)
        v = (point[..., None] * width - 1).to(given.dtype)
        upper = (v + width / 2 - mean) * inverse  # (..., M)
        lower = (v - width / 2 - mean) * inverse
        inside = logsigmoid(upper) + logsigmoid(-lower) + torch.log(-torch.expm1(-width * inverse))
        first, last = (point == 0)[..., None], (point == self.levels - 1)[..., None]
        log_mass = torch.where(
            first, logsigmoid(upper), torch.where(last, logsigmoid(-lower), inside)
        )
        return (log_weight + log_mass).logsumexp(-1)

    def below(self, given: Tensor, codes: Tensor) -> Tensor:
        """P(level <= k) for k < L - 1: given (..., size), codes (...) -> (...)."""
        log_weight, mean, inverse = self._split(given)
        edge = (codes + 0.5) * (2 / (self.levels - 1)) - 1  # (...)
        inside = torch.sigmoid((edge[..., None] - mean) * inverse)  # (..., M)
        return (inside * log_weight.exp()).sum(-1)

    def draw(self, given: Tensor, noise: Tensor) -> Tensor:
        """By halving the levels that are left, log2 L times."""
        low = torch.zeros(noise.shape, dtype=torch.long, device=noise.device)
        high = torch.full_like(low, self.levels - 1)
        for _ in range((self.levels - 1).bit_length()):
            middle = (low + high) // 2
            passed = self.below(given, middle) <= noise
            more = passed & (low < high)
            low, high = torch.where(more, middle + 1, low), torch.where(passed, high, middle)
        return low

    def mean(self, given: Tensor) -> Tensor:
        """E of the mixture clipped to [-1, 1], as a value in [0, 1]; in closed form.

        E clip(v) = 1 - integral of F from -1 to 1, and the integral of a logistic F is s softplus.
        It differs from the mean of the levels by less than half a level.
        """
        log_weight, mean, inverse = self._split(given)
        area = (softplus((1 - mean) * inverse) - softplus((-1 - mean) * inverse)) / inverse
        return 1 - (area * log_weight.exp()).sum(-1) / 2  # (..., M) -> (...)

    def _split(self, given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight, mean, log_s = given.chunk(3, -1)  # (..., M) each
        return weight.log_softmax(-1), mean, torch.exp(-log_s.clamp(_SHARPEST, _WIDEST))


class Normal:
    """A density: N(mu, s^2), s >= e^-7, for continuous coordinates in standard units."""

    size = 2

    def log_prob(self, given: Tensor, point: Tensor) -> Tensor:
        """-((x - mu) / s)^2 / 2 - log s - log(2 pi) / 2: given (..., 2), point (...)."""
        mean, log_s = given[..., 0], self._log_s(given)
        return -((point - mean) * (-log_s).exp()).square() / 2 - log_s - math.log(2 * math.pi) / 2

    def draw(self, given: Tensor, noise: Tensor) -> Tensor:
        """mu + s e of e ~ N(0, 1): (..., 2), (...) -> (...)."""
        return given[..., 0] + self._log_s(given).exp() * noise

    def mean(self, given: Tensor) -> Tensor:
        """mu."""
        return given[..., 0]

    def _log_s(self, given: Tensor) -> Tensor:
        return given[..., 1].clamp(min=_SHARPEST)


def observation(levels: int | None, logistics: int | None = None, usual: int = 10) -> Observation:
    """What suits so many levels: Bernoulli for 2, categorical, or a mixture of logistics beyond 32.

    logistics  how many, for any number of levels beyond 2; by default ``usual`` beyond 32.
    Without levels it is a normal density.  Raises ``UsageError`` for logistics where there is no use for them.
    """
    if logistics and (levels or 0) <= 2:
        raise UsageError("--logistics are for data on more than 2 grey levels")
    if levels is None:
        return Normal()
    if levels == 2:
        return Bernoulli()
    if logistics is None and levels <= _MANY:
        return Categorical(levels)
    return LogisticMixture(levels, logistics or usual)


class Params(nn.Module):
    """(N, C size, H, W) -> (N, C, H, W, size), the numbers of one coordinate side by side."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, C size, H, W) -> (N, C, H, W, size)."""
        return x.unflatten(1, (self.channels, -1)).movedim(2, -1)
