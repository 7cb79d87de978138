"""A mixture of Gaussians, and with one component a Gaussian: maximum likelihood made visible."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Generator, Tensor, nn

from plausible.core.bounds import COUNT
from plausible.core.errors import UsageError
from plausible.core.examples import Examples
from plausible.core.kmeans import kmeans_plus_plus
from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.memory import GIB, available_memory
from plausible.core.model import Explicit, models
from plausible.core.remedy import Remedy, smaller
from plausible.core.space import Space, by_label

_FLOOR = 1e-6  # smallest variance of a component in any direction, in standard units
_COPIES = 4  # of the weights beside themselves while they are learned and saved
_ENOUGH = 1e-6  # nats per example below which another step is not worth taking


@models
class GaussianMixture(Explicit):
    """p(x) = sum_k w_k N(x; mu_k, Sigma_k), argmax sum_n log p(x_n) by expectation-maximisation.

    No step lowers the likelihood; which of its maxima it climbs depends on the first centres, drawn
    from the examples far from each other (k-means++).  One component is a Gaussian, in closed form.
    Sources: Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x; Arthur and
    Vassilvitskii 2007, doi:10.5555/1283383.1283494.
    """

    name: ClassVar[str] = "mixture"
    place: ClassVar[tuple[str, ...]] = ("generative, p(x) or p(x | y)", "explicit", "tractable")
    family_kinds: ClassVar[Mapping[str, Kind]] = {"log_prob": Kind.EXACT}
    default_steps = 500
    remedies: ClassVar[Mapping[str, Sequence[Remedy]]] = {"overfitting": (smaller("components"),)}

    @dataclass(frozen=True)
    class Config(Explicit.Config):
        """A mixture of Gaussians with full covariances."""

        components: Annotated[int, COUNT] = 10
        """The number of Gaussians; 1 is a single one."""

    config: Config
    start: Tensor

    def __init__(self, space: Space, config: Config | None = None):
        config = config or self.Config()
        super().__init__(space, config)
        if space.levels:
            raise UsageError(
                "a mixture of Gaussians is a density, and these data are images on grey levels: choose "
                "naive-bayes"
            )
        k, d = config.components, space.dims
        self._check_memory(1)
        one = torch.eye(d, dtype=torch.float64)
        self.register_buffer("start", torch.randint(2**31, ()))  # the seed of the first means
        self.log_weight = _frozen(torch.full((k,), -math.log(k), dtype=torch.float64))
        self.mean = _frozen(torch.zeros(k, d, dtype=torch.float64))
        self.factor = _frozen(one.repeat(k, 1, 1))  # L_k with L_k L_k' = Sigma_k, (K, D, D)

    def setup(self, train: Examples) -> None:
        """Units and class prior; UsageError where the memory is not enough to learn."""
        super().setup(train)
        self._check_memory(_COPIES)

    def _check_memory(self, copies: int) -> None:
        """UsageError: so many more copies of the covariances do not fit in memory."""
        k, d = self.config.components, self.space.dims
        needed, free = 8 * k * d * d, available_memory()
        if copies * needed > free:
            one = needed * (1 + _COPIES) / GIB
            raise UsageError(
                f"{k:,} Gaussian{'s' * (k != 1)} in {d:,} columns need {one:,.1f} GiB of memory to learn, because "
                f"each has a covariance of {d:,} x {d:,} numbers, and {free / GIB:,.1f} GiB are free: choose "
                f"fewer columns{' or --components' * (k > 1)}, or a model without covariances, such as vae"
            )

    def fit(self, train: Examples) -> Iterator[Mapping[str, Tensor]]:
        """Expectation and maximisation in turn, until the likelihood stands still."""
        x = self.standardise(train.as_batch().x).double()  # (N, D)
        if self.config.components > len(x):
            raise UsageError(
                f"--components {self.config.components:,} are more than the {len(x):,} examples to learn from"
            )
        self.mean.copy_(self._initial_means(x))
        before = -math.inf
        while True:
            log_joint = self._log_joint(x)  # (N, K)
            log_p = log_joint.logsumexp(1)  # (N, K) -> (N,)
            nats = log_p.mean() - self.scale.double().log().sum()
            if nats - before < _ENOUGH:
                return
            self._m_step(x, (log_joint - log_p[:, None]).exp())
            before = nats.item()
            yield {"log likelihood": nats}

    def _m_step(self, x: Tensor, responsibility: Tensor) -> None:
        """Weights, means and covariances of x (N, D), each counted by its responsibility (N, K)."""
        count = responsibility.sum(0).clamp(min=1e-12)  # (N, K) -> (K,)
        self.log_weight.copy_((count / len(x)).log())
        self.mean.copy_(responsibility.T @ x / count[:, None])
        for k, mean in enumerate(self.mean):
            centred = x - mean  # (N, D)
            weighted = centred * responsibility[:, k, None]
            covariance = weighted.T @ centred / count[k]  # (D, D)
            covariance.diagonal().add_(_FLOOR)
            self.factor[k] = torch.linalg.cholesky(covariance)

    def _initial_means(self, x: Tensor) -> Tensor:
        """K of the examples (N, D), each drawn in proportion to its squared distance to the others."""
        generator = torch.Generator().manual_seed(int(self.start))
        even = torch.ones(len(x), dtype=x.dtype)
        first = int(torch.multinomial(even, 1, generator=generator))
        return kmeans_plus_plus(
            x, self.config.components, generator, first=first, floor=1e-12, form="direct"
        )  # (K, D)

    def _log_joint(self, x: Tensor) -> Tensor:
        """log w_k + log N(x; mu_k, Sigma_k), x (N, D) -> (N, K)."""
        apart = (x[:, None] - self.mean).permute(1, 2, 0)  # (N, D) -> (K, D, N)
        white: Tensor = torch.linalg.solve_triangular(self.factor, apart, upper=False)
        volume = self.factor.diagonal(dim1=1, dim2=2).log().sum(1)  # (K, D, D) -> (K,)
        constant = self.log_weight - volume - self.space.dims / 2 * math.log(2 * math.pi)
        return constant - white.square().sum(1).T / 2  # (K, D, N) -> (N, K)

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        return LogProb(self._log_joint(x.double()).logsumexp(1), reference=Reference.DENSITY)

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        """A uniform number for the component and D normal ones."""
        component = torch.rand(n, 1, generator=generator)
        return torch.cat([component, torch.randn(n, self.space.dims, generator=generator)], 1)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        cumulative = self.log_weight.exp().cumsum(0).to(noise.dtype)  # (K,)
        component = torch.searchsorted(cumulative, noise[:, 0].contiguous(), right=True)  # (N,)
        component.clamp_(max=len(cumulative) - 1)
        normal, x = noise[:, 1:].double(), torch.empty_like(noise[:, 1:])  # (N, D)
        for k, rows in by_label(component, len(noise)):  # for (N, D, D) there may be no memory
            x[rows] = (self.mean[k] + normal[rows] @ self.factor[k].T).to(x.dtype)
        return self.restore(x)


def _frozen(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values, requires_grad=False)
