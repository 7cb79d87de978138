"""Naive Bayes: given the class, every pixel is drawn by itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Generator, Tensor, nn

from plausible.core.bounds import FINITE
from plausible.core.errors import UsageError
from plausible.core.examples import Examples, batches
from plausible.core.likelihood import Kind, LogProb
from plausible.core.model import Explicit, models
from plausible.core.remedy import Remedy, larger
from plausible.core.space import Space, by_label
from plausible.core.synthesis import CoordinateNats, Synthesis


@models
class NaiveBayes(Explicit):
    """p(x | y) = prod_i theta_{y, i, x_i}: a categorical distribution for each pixel and class.

    Maximum likelihood in closed form, with a pseudo-count (Laplace smoothing): theta_{y, i, k} is
    (count + smoothing) / (examples of y + smoothing * levels).  Without labels it is one product of
    pixels, whose -log p is the entropy floor of a code that looks at each pixel alone.
    Sources: Laplace 1814; Maron 1961, doi:10.1145/321075.321084.
    """

    name: ClassVar[str] = "naive-bayes"
    place: ClassVar[tuple[str, ...]] = ("generative, p(x) or p(x | y)", "explicit", "tractable")
    family_kinds: ClassVar[Mapping[str, Kind]] = {"log_prob": Kind.EXACT}
    default_steps = 1
    remedies: ClassVar[Mapping[str, Sequence[Remedy]]] = {"overfitting": (larger("smoothing"),)}

    @dataclass(frozen=True)
    class Config(Explicit.Config):
        """A product of categorical distributions, one for each pixel."""

        conditional: bool = True
        """Learn one product for each class, where the data have labels."""
        smoothing: Annotated[float, FINITE] = 1.0
        """The number of examples added to each level of each pixel of each class."""

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        super().__init__(space, config or self.Config())
        if not space.levels:
            raise UsageError(
                "naive-bayes counts grey levels, and these data are vectors of continuous numbers: "
                "choose mixture"
            )
        shape = max(len(self.log_prior), 1), space.dims, space.levels
        # float64, because an image has thousands of terms and a posterior compares their sums
        uniform = torch.full(shape, 1 / space.levels, dtype=torch.float64).log()
        self.log_theta = nn.Parameter(uniform, requires_grad=False)  # (classes or 1, D, levels)

    @property
    def conditional(self) -> bool:
        """Whether there is a product for each class."""
        return self.config.conditional and self.space.classes > 1

    def fit(self, train: Examples) -> Iterator[Mapping[str, Tensor]]:
        """Count, once."""
        products, dims, levels = self.log_theta.shape
        device = self.log_theta.device
        counts = torch.zeros(products * dims * levels, dtype=torch.long, device=device)
        offset = torch.arange(dims, device=device) * levels  # where the counts of each pixel start
        for batch in batches(train):
            place = offset + self._codes(batch.x)  # (n, D)
            if self.conditional:
                assert batch.y is not None
                place += batch.y[:, None] * (dims * levels)
            counts += torch.bincount(place.flatten(), minlength=len(counts))
        theta = counts.double().view(products, dims, levels) + self.config.smoothing
        self.log_theta.copy_((theta / theta.sum(2, keepdim=True)).log())
        # sum over examples of log p(x | y) is sum of counts * log theta
        nats = (counts.view(products, dims, levels) * self.log_theta).sum() / len(train)
        yield {"log likelihood": nats}

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        return LogProb(self._nats(x, y).sum(1))  # (N, D) -> (N,)

    def _nats(self, x: Tensor, y: Tensor | None) -> Tensor:
        """log theta_{y, i, x_i} of every pixel, (N, D)."""
        codes, pixels = self._codes(x), torch.arange(self.space.dims, device=x.device)
        product = torch.zeros_like(codes[:, :1]) if y is None else y[:, None]  # (N, 1)
        return self.log_theta[product, pixels, codes]  # (N, D)

    def coordinate_nats(self, x: Tensor, y: Tensor | None) -> CoordinateNats:
        """log p(x_i | y), which is log p(x_i | x_<i, y), too."""
        nats = self._nats(x, y).view(-1, *self.space.shape)
        return CoordinateNats(nats, "log p(x | y), pixel by pixel", True)

    def synthesis(self, x: Tensor, y: Tensor | None, generator: Generator | None) -> Synthesis:
        """E[x | y], which knows nothing of x: all that it has of a class."""
        level = torch.arange(self.log_theta.shape[2], device=x.device) / (
            self.log_theta.shape[2] - 1
        )
        mean = (self.log_theta.exp() @ level.double()).float()  # (classes or 1, D)
        labels = torch.zeros(len(x), dtype=torch.long, device=x.device) if y is None else y
        return Synthesis(mean[labels].view(-1, *self.space.shape), "the mean of that class")

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        return torch.rand(n, self.space.dims, generator=generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        """The inverse of the distribution function of each pixel at its uniform number."""
        levels = self.log_theta.shape[2]
        codes = torch.empty_like(noise)
        for label, rows in by_label(y, len(noise)):
            cumulative = self.log_theta[label].exp().cumsum(1).to(noise.dtype)  # (D, levels)
            drawn = torch.searchsorted(cumulative, noise[rows].T.contiguous(), right=True)  # (D, n)
            codes[rows] = drawn.clamp(max=levels - 1).T.to(noise.dtype)
        return (codes / (levels - 1)).view(-1, *self.space.shape)  # (n, D) -> (n, *shape)

    def _codes(self, x: Tensor) -> Tensor:
        return self.space.codes(x).flatten(1).long()  # (n, *shape) -> (n, D)
