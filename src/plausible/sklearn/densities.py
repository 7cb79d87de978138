"""Densities: log p(x) of rows, and new rows."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from plausible.core.device import seeded
from plausible.core.likelihood import LogProb
from plausible.core.model import Explicit
from plausible.core.space import Space
from plausible.models.flow.flow import Flow
from plausible.models.mixture.mixture import GaussianMixture
from plausible.models.naive_bayes import NaiveBayes
from plausible.models.rbm.rbm import RBM
from plausible.sklearn.learning import learned, seed_of
from plausible.sklearn.rows import Rows, Steps, Vectors

_AT_ONCE = 1024  # rows


class PlausibleDensity(DensityMixin, BaseEstimator):
    """What the estimators share: X (n, D) real numbers; y is taken and not used.

    model_  the trained model, in float64.    rows_  how X is read.
    The same ``random_state`` gives the same numbers; torch's own generators are left as they were.
    """

    @abstractmethod
    def _build(self, space: Space) -> Explicit:
        """A new model of such data."""

    def _rows(self, x: np.ndarray) -> Rows:
        """How X (n, D) is read."""
        return Vectors(x.shape[1])

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn p(x) from X (n, D)."""
        x = validate_data(self, X, ensure_min_samples=2)
        self.rows_ = self._rows(x)
        seed, steps = seed_of(getattr(self, "random_state", 0)), getattr(self, "steps", None)
        with seeded(seed):
            model = self._build(self.rows_.space())
            self.model_ = learned(model, self.rows_.values(x), None, steps, seed)
        return self

    def log_prob(self, X: Any) -> LogProb:
        """log p(x) in nats, (n,), with its kind, its reference measure and its error."""
        check_is_fitted(self)
        x = self.rows_.points(validate_data(self, X, reset=False))
        with seeded(0):  # of an estimate, so that the same rows get the same
            return LogProb.cat([self.model_.log_prob(some) for some in x.split(_AT_ONCE)])

    def score_samples(self, X: Any) -> np.ndarray:
        """log p(x) in nats, (n,)."""
        return self.log_prob(X).nats.double().numpy()

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of log p(x) in nats, by which a grid search chooses."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        """New rows x ~ p(x), (n_samples, D); without ``random_state`` by that of the estimator."""
        check_is_fitted(self)
        own = getattr(self, "random_state", 0)
        generator = torch.Generator().manual_seed(seed_of(own if random_state is None else random_state))  # fmt: skip
        return self.rows_.rows(self.model_.sample(n_samples, generator=generator).x)


class NaiveBayesDensity(PlausibleDensity):
    """A product of categorical distributions, one for each feature; see ``NaiveBayes``.

    levels  every feature is cut into so many steps of equal width between its smallest and its largest value in the
            training data; the first and the last have no end.
    log p(x) is that of a mass, the probability of the steps that x lies in, and at most 0.
    """

    def __init__(self, levels: int = 16, smoothing: float = 1.0, random_state: Any = 0):
        self.levels = levels
        self.smoothing = smoothing
        self.random_state = random_state

    def _build(self, space: Space) -> Explicit:
        return NaiveBayes(space, NaiveBayes.Config(smoothing=self.smoothing))

    def _rows(self, x: np.ndarray) -> Rows:
        return Steps.of(self.levels, x)


class MixtureDensity(PlausibleDensity):
    """A mixture of Gaussians with full covariances; see ``GaussianMixture``.

    components  the number of Gaussians; by default 1 to 20, as many as make rows that are left out most probable.
    """

    def __init__(self, components: int | None = None, steps: int = 500, random_state: Any = 0):
        self.components = components
        self.steps = steps
        self.random_state = random_state

    def _build(self, space: Space) -> Explicit:
        return GaussianMixture(space, GaussianMixture.Config(components=self.components))


class FlowDensity(PlausibleDensity):
    """A normalizing flow, of which log p(x) is exact; see ``Flow``.

    architecture, layers, width, lr  as of ``Flow.Config``: None is what suits the number of features.
    """

    def __init__(
        self,
        architecture: str = "coupling",
        layers: int | None = None,
        width: int | None = None,
        dropout: float = 0.0,
        lr: float | None = None,
        steps: int = 1000,
        random_state: Any = 0,
    ):
        self.architecture = architecture
        self.layers = layers
        self.width = width
        self.dropout = dropout
        self.lr = lr
        self.steps = steps
        self.random_state = random_state

    def _build(self, space: Space) -> Explicit:
        config = Flow.Config(
            architecture=self.architecture, layers=self.layers, width=self.width, dropout=self.dropout, lr=self.lr
        )  # fmt: skip
        return Flow(space, config)


class RBMDensity(PlausibleDensity):
    """A restricted Boltzmann machine of features that are on or off; see ``RBM``.

    hidden  the number of hidden units; by default at most twice as many as there are features.
    A feature is on in the upper half of its range in the training data.  log p(x) is that of a mass, exact where
    there are at most 20 features or hidden units, and otherwise an estimate whose error all rows share
    (``log_prob`` has it).
    """

    def __init__(
        self,
        hidden: int | None = None,
        lr: float = RBM.Config.lr,
        steps: int = 1500,
        random_state: Any = 0,
    ):
        self.hidden = hidden
        self.lr = lr
        self.steps = steps
        self.random_state = random_state

    def _build(self, space: Space) -> Explicit:
        return RBM(space, RBM.Config(hidden=self.hidden, lr=self.lr))

    def _rows(self, x: np.ndarray) -> Rows:
        return Steps.of(2, x)
