"""A mixture of Gaussians, and with one component a Gaussian: maximum likelihood made visible."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, repeat
from typing import Annotated, Any, ClassVar

import torch
from torch import Generator, Tensor, nn

from plausible.core.bounds import COUNT, NON_NEGATIVE, POSITIVE, REPEATS
from plausible.core.device import device_generator, seeded
from plausible.core.draws import Draws
from plausible.core.errors import UsageError
from plausible.core.examples import Examples, batches
from plausible.core.kmeans import kmeans_plus_plus
from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.memory import available_memory
from plausible.core.model import Explicit, models
from plausible.core.remedy import Remedy, smaller
from plausible.core.space import Space, by_label
from plausible.core.synthesis import CoordinateNats, Synthesis
from plausible.models.dequantisation import dequantised, off_the_grid, uniform
from plausible.models.mixture.choice import fewest, heldout_nats
from plausible.models.mixture.hybrid import hybrid
from plausible.models.mixture.notes import chosen, narrow_columns, too_large
from plausible.models.mixture.principal import PrincipalAxes
from plausible.models.mixture.triangular import inverse_of

_AXES, _AXES_OF_HYBRID = 50, 80  # principal components of images
_OF_IMAGES, _OF_HYBRID = 40, 10  # components of images
_EACH = 25  # examples of images that there must be for each component
_ENSEMBLE = 3  # mixtures of images that are averaged
_MEASURED = 10_000  # examples from which they are found
_PLACES = 4  # draws of the place in a level, where log p(x) is bounded
_ROWS = 4096  # points at once
_FLOOR, _FLOOR_OF_HYBRID, _FLOOR_OF_AXES = 1e-6, 0.1, 0.06  # see Config.variance_floor
_COPIES = 4  # of the weights beside themselves while they are learned and saved
_ENOUGH = 1e-6  # nats an example, below which another step is not worth taking ...
_ENOUGH_OF_IMAGES = 0.01  # ... and of images
_ALONE = 200  # steps at most where mixtures learn together afterwards, for which the default budget has to last
_TRIAL_STEPS = 50  # of each trial


@models
class GaussianMixture(Explicit):
    """p(x) = sum_k w_k N(x; mu_k, Sigma_k), argmax sum_n log p(x_n) by expectation-maximisation.

    No step lowers the likelihood; which of its maxima it climbs depends on the first centres, drawn
    from the examples far from each other (k-means++).  One component is a Gaussian, in closed form.  An ensemble is the
    mean of some such p(x), each learned by itself from other first centres, and steadier than each.

    Of images the Gaussians are in the space of the first principal components, the same for all classes, and what these
    leave is noise of one variance (``PrincipalAxes``).  A level is an interval there (``dequantised``), so log p is bounded
    from below.

    Sources: Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x; Arthur and
    Vassilvitskii 2007, doi:10.5555/1283383.1283494; Tipping and Bishop 1999, doi:10.1162/089976699300016728.
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
        """The number of Gaussians; by default 1 to 20, as many as make examples that are left out most probable; of images 40, or one for every 25 examples."""
        ensemble: Annotated[int, REPEATS] | None = None
        """Average so many mixtures, which begin at other means; by default 3 of images, and 1 of tables."""
        principal: Annotated[int, COUNT] | None = None
        """The principal components of images in which they are; by default 50."""
        variance_floor: Annotated[float, POSITIVE] | None = None
        """The variance that is added to each Gaussian in every direction, as a share of that of the column (by default 0.000001, with --discriminative 0.1), or of the mean of the principal components (0.06); scikit-learn calls it reg_covar."""
        discriminative: Annotated[float, NON_NEGATIVE] = 0.0
        """With --per-class, the weight of -log p(y | x) beside -log p(x | y), by which all mixtures learn together in the end; of images there are then 10 components by default, and 80 principal components."""

    config: Config
    start: Tensor

    def __init__(self, space: Space, config: Config | None = None):
        config = config or self.Config()
        super().__init__(space, config)
        if config.principal and not space.levels:
            raise UsageError("--principal is for images: of a table all columns are taken")
        axes = config.principal or (_AXES_OF_HYBRID if config.discriminative else _AXES)
        self.dims = min(axes, space.dims) if space.levels else space.dims  # d
        self.axes = PrincipalAxes(space.dims, self.dims) if space.levels else None
        self._common = False  # whether the axes are those of all classes
        self.ensemble = config.ensemble or (_ENSEMBLE if self.axes else 1)
        k = config.components or 1
        self._tried: Mapping[int, float] = {}
        self._narrow = 0  # columns that vary less than the floor
        self._check_memory(1, k)
        self.register_buffer("start", torch.randint(2**31, ()))  # the seed of the first means
        self._allocate(k)

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Exact of vectors, and on levels a bound."""
        return {"log_prob": Kind.LOWER} if self.space.levels else self.family_kinds

    @property
    def components(self) -> int:
        """K, the number of Gaussians of a mixture: as asked for, or as chosen when the training part was seen."""
        return len(self.log_weight) // self.ensemble

    @property
    def notes(self) -> tuple[str, ...]:
        """Which number of components was chosen, and by what; whether columns hardly vary."""
        whole = self.whole_spread is not None
        narrow = narrow_columns(self._narrow, self.space.dims, self.least, whole)
        return (*chosen(self._tried, self.components), *narrow)

    def _allocate(self, k: int) -> None:
        """k standard Gaussians of equal weight, of each mixture of the ensemble."""
        k *= self.ensemble
        d, device = self.dims, self.offset.device
        even = torch.full((k,), -math.log(k), dtype=torch.float64, device=device)
        one = torch.eye(d, dtype=torch.float64, device=device)
        self.log_weight = _frozen(even)
        self.mean = _frozen(torch.zeros(k, d, dtype=torch.float64, device=device))
        self.factor = _frozen(one.repeat(k, 1, 1))  # L_k with L_k L_k' = Sigma_k, (K, d, d)

    def setup_common(self, train: Examples) -> None:
        """The principal axes and units, of all classes together."""
        super().setup_common(train)
        self._measure_axes(train)
        self._common = True

    def _measure_axes(self, train: Examples) -> None:
        if self.axes and self.space.levels:
            every = math.ceil(len(train) / _MEASURED)
            points = self._points(train.batch(slice(0, None, every)).x)
            self.axes.measure(points, least=1 / (12 * self.space.levels**2))

    @property
    def least(self) -> float:
        """The variance that is added in every direction, in the units of the Gaussians."""
        if self.axes:
            share = self.config.variance_floor or _FLOOR_OF_AXES
            return max(share * self.axes.mean_variance.item(), self.axes.variance.item())
        usual = _FLOOR_OF_HYBRID if self.config.discriminative else _FLOOR
        return self.config.variance_floor or usual

    def setup(self, train: Examples) -> None:
        """Units, class prior and, where it was not asked for, the number of components.

        UsageError where the memory is not enough to learn.
        """
        super().setup(train)
        if not self._common:
            if self.config.discriminative:
                raise UsageError(
                    "--discriminative is the weight of p(y | x), which needs --per-class"
                )
            self._measure_axes(train)
        if not self.axes:
            variance = self.standardise(train.as_batch().x).var(0, correction=0)  # (D,)
            self._narrow = int((variance < self.least).sum())
        if self.config.components is None and self.axes:
            most = _OF_HYBRID if self.config.discriminative else _OF_IMAGES
            self._allocate(min(most, max(1, len(train) // _EACH)))
        elif self.config.components is None:
            found = heldout_nats(
                len(train), int(self.start), self._fits, partial(self._left_out, train)
            )
            self._tried = {k: nats.mean().item() for k, nats in found.items()}
            self._allocate(fewest(found))
        self._check_memory(_COPIES, self.components)

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
        if self.config.components is None and saved is not None and len(saved) != len(self.mean):
            self._allocate(len(saved) // self.ensemble)  # as many as were chosen
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _fits(self, k: int, copies: int = _COPIES) -> bool:
        return copies * 8 * k * self.ensemble * self.dims**2 <= available_memory()

    def _check_memory(self, copies: int, k: int) -> None:
        """UsageError: so many more copies of k covariances do not fit in memory."""
        if not self._fits(k, copies):
            one = 8 * k * self.ensemble * self.dims**2 * (1 + _COPIES)
            raise UsageError(too_large(k, self.dims, one, available_memory()))

    def fit(self, train: Examples) -> Iterator[Mapping[str, Tensor]]:
        """Expectation and maximisation in turn, until the likelihood stands still."""
        parts = [self._coordinates(self._points(batch.x)) for batch in batches(train, _ROWS)]
        x, rest = torch.cat([z for z, _ in parts]), torch.cat([nats for _, nats in parts])
        if self.components > len(x):
            raise UsageError(
                f"--components {self.components:,} are more than the {len(x):,} examples to learn from"
            )
        self.mean.copy_(torch.cat([self._initial_means(x, each) for each in range(self.ensemble)]))
        before = -math.inf
        for _ in repeat(None, _ALONE) if self.config.discriminative else repeat(None):
            log_joint = self._log_joint(x).view(len(x), self.ensemble, -1)  # (N, E K) -> (N, E, K)
            log_p = log_joint.logsumexp(
                2, keepdim=True
            )  # (N, E, 1), of each that is averaged 1 / E
            nats = log_p.mean() + math.log(self.ensemble) + rest.mean() - self._stretched
            if nats - before < (_ENOUGH_OF_IMAGES if self.axes else _ENOUGH):
                return
            self._m_step(x, (log_joint - log_p).exp().flatten(1))
            before = nats.item()
            yield {"log likelihood": nats}

    def fit_classes(
        self, models: Sequence[Any], log_prior: Tensor, train: Examples
    ) -> Iterator[Mapping[str, Tensor]]:
        """Those of all classes, so that Bayes' rule is right, where that is asked for."""
        if self.config.discriminative:
            weight, shared = self.config.discriminative, self._share_axes(models)
            yield from hybrid(models, log_prior, train, weight, shared=shared)

    def _m_step(self, x: Tensor, responsibility: Tensor) -> None:
        """Weights, means and covariances of z (N, d), each counted by its responsibility (N, E K)."""
        count = responsibility.sum(0).clamp(min=1e-12)  # (N, E K) -> (E K,)
        self.log_weight.copy_((count / (len(x) * self.ensemble)).log())
        self.mean.copy_(responsibility.T @ x / count[:, None])
        for k, mean in enumerate(self.mean):
            centred = x - mean  # (N, d)
            weighted = centred * responsibility[:, k, None]
            covariance = weighted.T @ centred / count[k]  # (d, d)
            covariance.diagonal().add_(self.least)
            self.factor[k] = torch.linalg.cholesky(covariance)

    def _initial_means(self, x: Tensor, each: int) -> Tensor:
        """K of the examples (N, d), each drawn in proportion to its squared distance to the others."""
        generator = torch.Generator().manual_seed(int(self.start) + each)
        even = torch.ones(len(x), dtype=x.dtype)
        first = int(torch.multinomial(even, 1, generator=generator))
        return kmeans_plus_plus(
            x, self.components, generator, first=first, floor=1e-12, form="direct"
        )  # (K, d)

    def _points(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """x (N, *shape) in standard units, of levels at the place u in each, by default its middle: (N, D) float64."""
        if not self.space.levels:
            return self.standardise(x).double()
        u = torch.full_like(x, 0.5) if u is None else u
        return dequantised(self.space.codes(x), self.space.levels, u).flatten(1)

    def _coordinates(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Where points (N, D) are among the Gaussians, (N, d), and the nats of what is left of them, (N,)."""
        return self.axes(v) if self.axes else (v, v.new_zeros(len(v)))

    def coordinates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Where x (N, *shape) in data units is among the Gaussians, (N, d), and the nats of what is left of it, (N,)."""
        z, rest = self._coordinates(self._points(x))
        return z, rest - self._stretched

    @property
    def _stretched(self) -> Tensor:
        """log of how many of these units are in a unit of the data, or in a level: (), in nats."""
        levels = self.space.levels
        nats = self.space.dims * math.log(levels) if levels else self.scale.double().log().sum()
        return torch.as_tensor(nats)

    def _log_joint(self, x: Tensor) -> Tensor:
        """log w_k + log N(z; mu_k, Sigma_k), z (N, d) -> (N, K)."""
        white = self._white(x)
        volume = self.factor.diagonal(dim1=1, dim2=2).log().sum(1)  # (K, d, d) -> (K,)
        constant = self.log_weight - volume - self.dims / 2 * math.log(2 * math.pi)
        return constant - white.square().sum(1).T / 2  # (K, d, N) -> (N, K)

    def _white(self, x: Tensor) -> Tensor:
        """L_k^-1 (x - mu_k), N(0, I) of draws of component k: (N, d) -> (K, d, N)."""
        k, d = self.mean.shape
        inverse = inverse_of(self.factor)  # (K, d, d)
        return torch.baddbmm(-inverse @ self.mean[..., None], inverse, x.T.expand(k, d, len(x)))

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        if self.space.levels:
            return self._of_places([self], x, samples, generator)[0].log_prob
        z, rest = self._coordinates(x.double())
        return LogProb(self._log_joint(z).logsumexp(1) + rest, reference=Reference.DENSITY)

    @property
    def mean_draws(self) -> int:
        """0: log p is the log of a mean of weights."""
        return 0

    def class_draws(
        self, x: Tensor, rows: Tensor, y: Tensor, samples: int | None, generator: Generator | None
    ) -> Draws | None:
        """On levels by the same places in them for every class; of vectors, where nothing is drawn, None."""
        if not self.space.levels:
            return None
        (said,) = self._of_places([self], x, samples, generator)
        return replace(said, values=said.values[:, rows])

    def class_draws_of(
        self,
        models: Sequence[Explicit],
        x: Tensor,
        rows: Tensor,
        y: Tensor,
        samples: int | None,
        generator: Generator | None,
    ) -> Draws | None:
        """Of mixtures that have the same axes, which x is then projected on once for all; otherwise None."""
        mixtures = [model for model in models if isinstance(model, GaussianMixture)]
        if not self._share_axes(mixtures):
            return None
        said = self._of_places(mixtures, x, samples, generator)
        return replace(said[0], values=torch.stack([each.values for each in said], 1)[:, y, rows])

    def _share_axes(self, mixtures: "Sequence[GaussianMixture]") -> bool:
        """Whether all of them have x at the same coordinates."""
        return self.axes is not None and all(self.axes.are(each.axes) for each in mixtures)

    def _of_places(
        self,
        mixtures: "Sequence[GaussianMixture]",
        x: Tensor,
        draws: int | None,
        generator: Generator | None,
    ) -> list[Draws]:
        """log p((k + u_i) / L) / L^D of x by mixtures on the same axes, by the same places u in the levels: (k, N) each."""
        on_device = device_generator(x.device, generator)
        shape = len(mixtures), draws or _PLACES, len(x)
        log_w = torch.empty(shape, dtype=torch.float64, device=x.device)
        for k in range(shape[1]):
            for some in torch.arange(len(x), device=x.device).split(_ROWS):
                z, rest = self._coordinates(self._points(x[some], uniform(x[some], on_device)))
                for own, mixture in zip(log_w, mixtures, strict=True):
                    own[k, some] = mixture._log_joint(z).logsumexp(1) + rest - self._stretched
        return [Draws(own, Kind.LOWER, Reference.MASS, weights=True) for own in log_w]

    def coordinate_nats(self, x: Tensor, y: Tensor | None) -> CoordinateNats | None:
        """log p(x_i | x_<i): of each component by its triangular factor, mixed by what the coordinates before say of it.

        None in principal components, which are no coordinates of x.
        """
        if self.axes:
            return None
        white = self._white(x.double())  # (K, D, N)
        volume = self.factor.diagonal(dim1=1, dim2=2).log() + math.log(2 * math.pi) / 2  # (K, D)
        each = -white.square() / 2 - volume[..., None]
        joint = self.log_weight[:, None, None] + each.cumsum(1)  # log w_k p_k(x_<=i)
        upto = joint.logsumexp(0).T  # (N, D)
        nats = torch.cat([upto[:, :1], upto.diff(dim=1)], 1)
        return CoordinateNats(nats, "log p(x | y), column by column in their order", True)

    def synthesis(self, x: Tensor, y: Tensor | None, generator: Generator | None) -> Synthesis:
        """E[mu_k | x], the means of its components as x makes them probable."""
        points = self._points(x) if self.space.levels else x.double()
        share = self._log_joint(self._coordinates(points)[0]).softmax(1)  # (N, K)
        return Synthesis(self._data_units(share @ self.mean), "the mean of the Gaussian that it would be of")  # fmt: skip

    def _data_units(self, z: Tensor, e: Tensor | None = None) -> Tensor:
        """x of z (N, d), with the noise e (N, D) where there is some beside it: (N, *shape), off the grid."""
        v = self.axes.inverse(z, e) if self.axes else z
        x = v.view(-1, *self.space.shape).to(self.offset.dtype)
        return off_the_grid(x, self.space.levels) if self.space.levels else self.restore(x)

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        """A uniform number for the component and D normal ones."""
        component = torch.rand(n, 1, generator=generator)
        return torch.cat([component, torch.randn(n, self.space.dims, generator=generator)], 1)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        cumulative = self.log_weight.exp().cumsum(0).to(noise.dtype)  # (K,)
        component = torch.searchsorted(cumulative, noise[:, 0].contiguous(), right=True)  # (N,)
        component.clamp_(max=len(cumulative) - 1)
        normal = noise[:, 1:].double()  # (N, D)
        own = normal @ self.axes.axes if self.axes else normal  # (N, d)
        z = torch.empty_like(own)
        for k, rows in by_label(component, len(noise)):  # for (N, d, d) there may be no memory
            z[rows] = self.mean[k] + own[rows] @ self.factor[k].T
        return self._data_units(z, normal)


def _frozen(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values, requires_grad=False)
