"""A mixture of Gaussians, and with one component a Gaussian: maximum likelihood made visible."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated, Any, ClassVar

import torch
from torch import Generator, Tensor, nn

from plausible.core.bounds import COUNT, POSITIVE
from plausible.core.device import seeded
from plausible.core.errors import UsageError
from plausible.core.examples import Examples
from plausible.core.kmeans import kmeans_plus_plus
from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.memory import GIB, available_memory
from plausible.core.model import Explicit, models
from plausible.core.remedy import Remedy, smaller
from plausible.core.space import Space, by_label
from plausible.core.synthesis import CoordinateNats, Synthesis

_SOFTER = 0.01  # a larger --variance-floor, which a note shows
_COPIES = 4  # of the weights beside themselves while they are learned and saved
_ENOUGH = 1e-6  # nats per example below which another step is not worth taking
_TRIED = (1, 2, 3, 5, 8, 10, 20)  # components, of which the held-out likelihood chooses
_FOLDS = 5  # parts of the examples, each of which is held out once to choose
_FEW = 1000  # examples beyond which one part alone is held out
_MOST = 4000  # examples that are looked at to choose
_TRIAL_STEPS = 50  # of each trial
_WORSE = 2  # times in turn that more components do worse, after which no more are tried


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

        components: Annotated[int, COUNT] | None = None
        """The number of Gaussians; by default 1 to 20, as many as make examples that are left out most probable."""
        variance_floor: Annotated[float, POSITIVE] = 1e-6
        """The variance that is added to each Gaussian in every direction, as a share of that of the column; scikit-learn calls it reg_covar."""

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
        k = config.components or 1
        self._tried: Mapping[int, float] = {}
        self._narrow = 0  # columns that vary less than the floor
        self._check_memory(1, k)
        self.register_buffer("start", torch.randint(2**31, ()))  # the seed of the first means
        self._allocate(k)

    @property
    def components(self) -> int:
        """K, the number of Gaussians: as asked for, or as chosen when the training part was seen."""
        return len(self.log_weight)

    @property
    def notes(self) -> tuple[str, ...]:
        """Which number of components was chosen, and by what; whether columns hardly vary."""
        return (*self._chosen(), *self._narrow_columns())

    def _chosen(self) -> tuple[str, ...]:
        if not self._tried:
            return ()
        tried = ", ".join(f"{k}: {nats:,.2f}" for k, nats in self._tried.items())
        return (
            f"{self.components} component{'s' * (self.components > 1)}, the fewest by which examples that were left "
            f"out are as probable as by any number (log p(x), exact, in nats: {tried}); --components chooses another",
        )

    def _narrow_columns(self) -> tuple[str, ...]:
        """What such columns do to log p, and the flag that softens it."""
        if not self._narrow:
            return ()
        far = "1" if self.whole_spread is None else "a standard deviation of all classes"
        most, less = (f"{0.5 / floor:,.0f}" for floor in (self.config.variance_floor, _SOFTER))
        softer = f" (--variance-floor {_SOFTER}: {less})" * (most != less)
        return (
            f"{self._narrow} of {self.space.dims} columns hardly vary: each that is {far} off lowers log p by up to {most} nats{softer}",
        )

    def _allocate(self, k: int) -> None:
        """k standard Gaussians of equal weight."""
        d, device = self.space.dims, self.offset.device
        even = torch.full((k,), -math.log(k), dtype=torch.float64, device=device)
        one = torch.eye(d, dtype=torch.float64, device=device)
        self.log_weight = _frozen(even)
        self.mean = _frozen(torch.zeros(k, d, dtype=torch.float64, device=device))
        self.factor = _frozen(one.repeat(k, 1, 1))  # L_k with L_k L_k' = Sigma_k, (K, D, D)

    def setup(self, train: Examples) -> None:
        """Units, class prior and, where it was not asked for, the number of components.

        UsageError where the memory is not enough to learn.
        """
        super().setup(train)
        variance = self.standardise(train.as_batch().x).var(0, correction=0)  # (D,)
        self._narrow = int((variance < self.config.variance_floor).sum())
        if self.config.components is None:
            found = self._heldout_nats(train)
            self._tried = {k: nats.mean().item() for k, nats in found.items()}
            self._allocate(_fewest(found))
        self._check_memory(_COPIES, self.components)

    def _heldout_nats(self, train: Examples) -> dict[int, Tensor]:
        """{K: log p of examples left out}, from one Gaussian on until more of them do not help.

        By cross-validation of the training part, or of many examples by one part of it.
        """
        generator = torch.Generator().manual_seed(int(self.start))
        rows = torch.randperm(len(train), generator=generator)[:_MOST]
        folds = rows.chunk(min(_FOLDS, len(rows)))
        folds = folds if len(rows) <= _FEW else folds[:1]
        found: dict[int, Tensor] = {}
        best, worse = -math.inf, 0
        for k in _TRIED:
            too_many = 2 * k > len(rows) - len(folds[0]) or not self._fits(_COPIES, k)
            if k > 1 and (too_many or worse == _WORSE):
                break
            nats = torch.cat([self._left_out(train, rows, fold, k) for fold in folds])  # (m,)
            worse = 0 if nats.mean().item() > best else worse + 1
            best, found[k] = max(best, nats.mean().nan_to_num(-math.inf).item()), nats
        return found

    def _left_out(self, train: Examples, rows: Tensor, fold: Tensor, k: int) -> Tensor:
        """log p(x) in data units of a fold (m,) of these rows, by k Gaussians of the others."""
        others = rows[~torch.isin(rows, fold)]
        others = others if len(others) else fold  # of one example
        with seeded(0):  # its constructor draws
            trial = type(self)(self.space, replace(self.config, components=k))
        trial.to(self.offset.device)
        for name, value in self.named_buffers():
            trial.get_buffer(name).copy_(value)
        with torch.no_grad():
            for _ in islice(trial.fit(train.rows(others)), _TRIAL_STEPS):
                pass
        return trial.log_prob(train.rows(fold).as_batch().x).nats

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        saved = state_dict.get(f"{prefix}log_weight")
        if self.config.components is None and saved is not None and len(saved) != self.components:
            self._allocate(len(saved))  # as many as were chosen
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _fits(self, copies: int, k: int) -> bool:
        return copies * 8 * k * self.space.dims**2 <= available_memory()

    def _check_memory(self, copies: int, k: int) -> None:
        """UsageError: so many more copies of k covariances do not fit in memory."""
        d = self.space.dims
        needed, free = 8 * k * d * d, available_memory()
        if not self._fits(copies, k):
            one = needed * (1 + _COPIES) / GIB
            raise UsageError(
                f"{k:,} Gaussian{'s' * (k != 1)} in {d:,} columns need {one:,.1f} GiB of memory to learn, because "
                f"each has a covariance of {d:,} x {d:,} numbers, and {free / GIB:,.1f} GiB are free: choose "
                f"fewer columns{' or --components' * (k > 1)}, or a model without covariances, such as vae"
            )

    def fit(self, train: Examples) -> Iterator[Mapping[str, Tensor]]:
        """Expectation and maximisation in turn, until the likelihood stands still."""
        x = self.standardise(train.as_batch().x).double()  # (N, D)
        if self.components > len(x):
            raise UsageError(
                f"--components {self.components:,} are more than the {len(x):,} examples to learn from"
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
            covariance.diagonal().add_(self.config.variance_floor)
            self.factor[k] = torch.linalg.cholesky(covariance)

    def _initial_means(self, x: Tensor) -> Tensor:
        """K of the examples (N, D), each drawn in proportion to its squared distance to the others."""
        generator = torch.Generator().manual_seed(int(self.start))
        even = torch.ones(len(x), dtype=x.dtype)
        first = int(torch.multinomial(even, 1, generator=generator))
        return kmeans_plus_plus(
            x, self.components, generator, first=first, floor=1e-12, form="direct"
        )  # (K, D)

    def _log_joint(self, x: Tensor) -> Tensor:
        """log w_k + log N(x; mu_k, Sigma_k), x (N, D) -> (N, K)."""
        white = self._white(x)
        volume = self.factor.diagonal(dim1=1, dim2=2).log().sum(1)  # (K, D, D) -> (K,)
        constant = self.log_weight - volume - self.space.dims / 2 * math.log(2 * math.pi)
        return constant - white.square().sum(1).T / 2  # (K, D, N) -> (N, K)

    def _white(self, x: Tensor) -> Tensor:
        """L_k^-1 (x - mu_k), N(0, I) of draws of component k: (N, D) -> (K, D, N)."""
        apart = (x[:, None] - self.mean).permute(1, 2, 0)  # (N, D) -> (K, D, N)
        white: Tensor = torch.linalg.solve_triangular(self.factor, apart, upper=False)
        return white

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        return LogProb(self._log_joint(x.double()).logsumexp(1), reference=Reference.DENSITY)

    def coordinate_nats(self, x: Tensor, y: Tensor | None) -> CoordinateNats:
        """log p(x_i | x_<i): of each component by its triangular factor, mixed by what the coordinates before say of it."""
        white = self._white(x.double())  # (K, D, N)
        volume = self.factor.diagonal(dim1=1, dim2=2).log() + math.log(2 * math.pi) / 2  # (K, D)
        each = -white.square() / 2 - volume[..., None]
        joint = self.log_weight[:, None, None] + each.cumsum(1)  # log w_k p_k(x_<=i)
        upto = joint.logsumexp(0).T  # (N, D)
        nats = torch.cat([upto[:, :1], upto.diff(dim=1)], 1)
        return CoordinateNats(nats, "log p(x | y), column by column in their order", True)

    def synthesis(self, x: Tensor, y: Tensor | None, generator: Generator | None) -> Synthesis:
        """E[mu_k | x], the means of its components as x makes them probable."""
        share = self._log_joint(x.double()).softmax(1)  # (N, K)
        back = self.restore((share @ self.mean).to(x.dtype))
        return Synthesis(back, "the mean of the Gaussian that it would be of")

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


def _fewest(found: Mapping[int, Tensor]) -> int:
    """The smallest K by which examples are as probable as by the best, within the standard error of the difference."""
    best = max(found, key=lambda k: found[k].mean().nan_to_num(-math.inf).item())
    for k, nats in found.items():
        less = found[best] - nats  # (m,)
        if k == best or less.mean() <= less.std() / math.sqrt(len(less)):
            return k
    return best
