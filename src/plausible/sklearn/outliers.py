"""Outlier detection that keeps its word: of good rows at most a given share is called odd."""

import math
import warnings
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from plausible.core.errors import UsageError
from plausible.recognition.conformal import Conformal, too_few
from plausible.sklearn.densities import MixtureDensity
from plausible.sklearn.learning import seed_of


class ConformalOutlierDetector(OutlierMixin, BaseEstimator):
    """A density learned from part of X, and held against the rest: split conformal prediction.

    estimator    what learns the density: anything with ``fit`` and ``score_samples`` (log p(x)), also scikit-learn's
                 own; by default ``MixtureDensity()``.
    level        of rows drawn as X was at most this share is refused on average, whatever the density is worth.
    calibration  the share of X that the density does not learn from, and rows are held against.
    estimator_  the trained density.    offset_  log p(x) below which a row is refused.
    ``contamination`` of other detectors is a share of X that is declared odd in any case; X should hold no outliers
    here, and where it does fewer rows are refused.
    Source: Vovk, Gammerman and Shafer 2005, doi:10.1007/b106715; Bates et al. 2023, doi:10.1214/22-AOS2244.
    """

    def __init__(
        self,
        estimator: Any = None,
        level: float = 0.05,
        calibration: float = 0.5,
        random_state: Any = 0,
    ):
        self.estimator = estimator
        self.level = level
        self.calibration = calibration
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn p(x) from a part of X (n, D), and what is usual from the rest."""
        for name in ("level", "calibration"):
            if not 0 < getattr(self, name) < 1:
                raise UsageError(f"{name} must lie between 0 and 1, not {getattr(self, name)}")
        x = validate_data(self, X, ensure_min_samples=4)
        order = np.random.default_rng(seed_of(self.random_state)).permutation(len(x))
        aside = min(max(math.ceil(self.calibration * len(x)), 1), len(x) - 2)
        density = MixtureDensity() if self.estimator is None else self.estimator
        self.estimator_ = clone(density).fit(x[order[aside:]], None)
        usual = np.asarray(self.estimator_.score_samples(x[order[:aside]]), np.float64)
        self._conformal = Conformal(torch.from_numpy(-usual))
        refused = math.floor(self.level * (aside + 1) + 1e-9) - 1  # of the usual ones, at most
        if refused < 0:
            said = too_few(aside, self.level, len(x))
            warnings.warn((said or "").replace("the validation part has", "there are"), stacklevel=2)  # fmt: skip
        # not -inf, from which nothing could be subtracted
        self.offset_ = float(np.sort(usual)[refused]) if refused >= 0 else -np.finfo(float).max
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """log p(x) in nats by the density, (n,): the higher the more usual."""
        check_is_fitted(self)
        x = validate_data(self, X, reset=False)
        return np.asarray(self.estimator_.score_samples(x), np.float64)

    def decision_function(self, X: Any) -> np.ndarray:
        """``score_samples`` less ``offset_``, (n,): below 0 for what is refused."""
        return self.score_samples(X) - self.offset_

    def p_values(self, X: Any) -> np.ndarray:
        """How often a row drawn as X was is as odd, (n,): P(p <= a) <= a for every a.

        Of many rows asked at once some good ones have small p-values; ``recognition.conformal.false_discoveries``
        bounds their share among those that are refused.
        """
        return self._conformal(torch.from_numpy(-self.score_samples(X))).numpy()

    def predict(self, X: Any) -> np.ndarray:
        """-1 for rows whose p-value is at most ``level``, 1 for all others, (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)
