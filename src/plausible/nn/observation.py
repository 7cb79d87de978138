"""From features to a distribution over the grey levels of one coordinate."""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus


class Observation(Protocol):
    """p(k | features) over the levels k = 0 .. L - 1 of a coordinate.

    size  how many numbers a network has to give for each coordinate.
    """

    size: int

    def log_prob(self, given: Tensor, codes: Tensor) -> Tensor:
        """log p(k): given (..., size), codes (...) int64 -> (...) nats."""
        ...

    def below(self, given: Tensor) -> Tensor:
        """P(level <= k) for k = 0 .. L - 2, rising in k: given (..., size) -> (..., L - 1)."""
        ...


def drawn(observation: Observation, given: Tensor, u: Tensor) -> Tensor:
    """The level whose distribution function passes u ~ U(0, 1) first: (..., size), (...) -> (...)."""
    return (observation.below(given) <= u[..., None]).sum(-1)


class Bernoulli:
    """Two levels: P(1) = sigma(a)."""

    size = 1

    def log_prob(self, given: Tensor, codes: Tensor) -> Tensor:
        """k a - softplus(a)."""
        a = given[..., 0]
        return codes * a - softplus(a)

    def below(self, given: Tensor) -> Tensor:
        """P(0) = sigma(-a)."""
        return torch.sigmoid(-given)


class Categorical:
    """A softmax over L levels that knows nothing of their order."""

    def __init__(self, levels: int):
        self.size = levels

    def log_prob(self, given: Tensor, codes: Tensor) -> Tensor:
        """Entry k of the log-softmax."""
        return given.log_softmax(-1).gather(-1, codes[..., None])[..., 0]

    def below(self, given: Tensor) -> Tensor:
        """Running sums of the softmax."""
        return given.softmax(-1).cumsum(-1)[..., :-1]


class LogisticMixture:
    """A mixture of M logistic distributions, each level getting the mass of its bin.

    F(v) = sum_m w_m sigma((v - mu_m) / s_m), v = 2 k / (L - 1) - 1; level k gets F at its upper edge
    minus F at its lower edge, the outermost levels everything beyond.  Few numbers say much about many
    ordered levels.
    Source: Salimans et al. 2017 (PixelCNN++), https://arxiv.org/abs/1701.05517.
    """

    _SHARPEST = -7.0  # log s at least: a component narrower than a bin gains nothing

    def __init__(self, levels: int, components: int = 10):
        self.levels, self.components, self.size = levels, components, 3 * components

    def log_prob(self, given: Tensor, codes: Tensor) -> Tensor:
        """log of the difference of two distribution functions, without cancellation.

        sigma(b) - sigma(a) = sigma(b) sigma(-a) (1 - e^(a - b)) for a < b.
        """
        log_weight, mean, inverse = self._split(given)
        width = 2 / (self.levels - 1)
        v = (codes[..., None] * width - 1).to(given.dtype)
        upper = (v + width / 2 - mean) * inverse  # (..., M)
        lower = (v - width / 2 - mean) * inverse
        inside = logsigmoid(upper) + logsigmoid(-lower) + torch.log(-torch.expm1(-width * inverse))
        first, last = (codes == 0)[..., None], (codes == self.levels - 1)[..., None]
        log_mass = torch.where(
            first, logsigmoid(upper), torch.where(last, logsigmoid(-lower), inside)
        )
        return (log_weight + log_mass).logsumexp(-1)

    def below(self, given: Tensor) -> Tensor:
        """F at the upper edges of all levels but the last."""
        log_weight, mean, inverse = self._split(given)
        edges = (torch.arange(self.levels - 1, device=given.device) + 0.5) * (
            2 / (self.levels - 1)
        ) - 1
        # (L - 1,) and (..., M) -> (..., L - 1, M)
        inside = torch.sigmoid((edges[:, None] - mean[..., None, :]) * inverse[..., None, :])
        return (inside * log_weight.exp()[..., None, :]).sum(-1)

    def _split(self, given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight, mean, log_s = given.chunk(3, -1)  # (..., M) each
        return weight.log_softmax(-1), mean, torch.exp(-log_s.clamp(min=self._SHARPEST))


def observation(levels: int, logistics: int | None = None) -> Observation:
    """What suits so many levels: Bernoulli for 2, categorical, or a mixture of ``logistics``."""
    if levels == 2:
        return Bernoulli()
    return Categorical(levels) if logistics is None else LogisticMixture(levels, logistics)
