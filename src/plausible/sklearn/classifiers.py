"""The classifiers as scikit-learn estimators, for pipelines, cross-validation and grid search.

>>> from sklearn.datasets import load_iris
>>> from sklearn.model_selection import GridSearchCV
>>> x, y = load_iris(return_X_y=True)
>>> search = GridSearchCV(LogisticClassifier(), {"l2": [1e-4, 1e-3, 1e-2]}).fit(x, y)
>>> bool(search.score(x, y) > 0.9)
True
"""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.device import seeded
from plausible.core.model import Explicit, Model
from plausible.core.space import Space
from plausible.data.part import Data, Part
from plausible.models.discriminative import ConvNet, LinearRegression, LogisticRegression
from plausible.models.naive_bayes import NaiveBayes
from plausible.recognition.bayes import BayesClassifier
from plausible.tasks import fit


class PlausibleClassifier(ClassifierMixin, BaseEstimator):
    """What the estimators share: X (n, D) real numbers, y (n,) labels of any kind.

    classes_  the labels in order.    model_  the trained model, in float64.
    The same ``random_state`` gives the same numbers; torch's own generators are left as they were.
    """

    @abstractmethod
    def _build(self, space: Space) -> Model:
        """A new model of such data."""

    def _space(self, x: np.ndarray, classes: int) -> Space:
        return Space((x.shape[1],), None, classes)

    def _values(self, x: np.ndarray) -> Tensor:
        """X as a part stores it: (n, D) -> (n, *shape)."""
        return torch.from_numpy(np.ascontiguousarray(x, np.float32))

    def _points(self, x: np.ndarray) -> Tensor:
        """X in the units that the model is asked in, float64: (n, D) -> (n, *shape)."""
        return torch.from_numpy(np.ascontiguousarray(x, np.float64))

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from X (n, D) and y (n,)."""
        x, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"a classifier needs 2 classes, and y holds one class: {self.classes_[0]}"
            )
        space = self._space(x, len(self.classes_))
        part = Part(self._values(x), torch.from_numpy(labels.astype(np.int64)), space)
        data, seed = Data("X", space, part, part, part), int(getattr(self, "random_state", 0) or 0)
        with seeded(seed):
            trained = fit(
                self._build(space),
                data,
                steps=getattr(self, "steps", None),
                seed=seed,
                watch=False,
                device="cpu",
            )
        if not trained.finished:  # Ctrl-C ends a grid search, too
            raise KeyboardInterrupt
        self.model_ = trained.model.double()  # a subset of X gets the very same answers
        return self

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """log p(y | x) in nats, (n, classes)."""
        check_is_fitted(self)
        x = self._points(validate_data(self, X, reset=False))
        return torch.cat([self._classifier().log_posterior(some) for some in x.split(1024)]).numpy()

    def predict_proba(self, X: Any) -> np.ndarray:
        """p(y | x), (n, classes)."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """argmax_y p(y | x), (n,)."""
        said = self.predict_log_proba(X)  # first, so that an unfitted estimator says that it is
        return self.classes_[said.argmax(1)]

    def _classifier(self) -> Classifier:
        model = self.model_
        if isinstance(model, Explicit):
            return BayesClassifier(model)
        assert isinstance(model, Classifier)
        return model


class LinearClassifier(PlausibleClassifier):
    """Least squares on one-hot targets with a ridge; see ``models.discriminative.LinearRegression``."""

    def __init__(self, ridge: float = 1.0):
        self.ridge = ridge

    def _build(self, space: Space) -> Model:
        return LinearRegression(space, LinearRegression.Config(ridge=self.ridge))


class LogisticClassifier(PlausibleClassifier):
    """Softmax regression to its optimum; see ``models.discriminative.LogisticRegression``."""

    def __init__(self, l2: float = 5e-4, tolerance: float = 5e-4):
        self.l2 = l2
        self.tolerance = tolerance

    def _build(self, space: Space) -> Model:
        return LogisticRegression(
            space, LogisticRegression.Config(l2=self.l2, tolerance=self.tolerance)
        )


class ConvNetClassifier(PlausibleClassifier):
    """A convolutional classifier, or without ``shape`` a perceptron; see ``ConvNet``.

    shape  (C, H, W) of the images whose grey values, 0 to 255, are the rows of X.
    """

    def __init__(
        self,
        shape: tuple[int, int, int] | None = None,
        width: int | None = None,
        dropout: float = 0.3,
        lr: float = 2e-3,
        steps: int = 500,
        random_state: int = 0,
    ):
        self.shape = shape
        self.width = width
        self.dropout = dropout
        self.lr = lr
        self.steps = steps
        self.random_state = random_state

    def _build(self, space: Space) -> Model:
        return ConvNet(space, ConvNet.Config(width=self.width, dropout=self.dropout, lr=self.lr))

    def _space(self, x: np.ndarray, classes: int) -> Space:
        if self.shape is None:
            return super()._space(x, classes)
        if int(np.prod(self.shape)) != x.shape[1]:
            raise ValueError(
                f"X has {x.shape[1]} features, and images of shape {self.shape} have not"
            )
        return Space(self.shape, 256, classes)

    def _values(self, x: np.ndarray) -> Tensor:
        if self.shape is None:
            return super()._values(x)
        codes = np.ascontiguousarray(x.clip(0, 255).round().astype(np.uint8))
        return torch.from_numpy(codes).view(-1, *self.shape)  # (n, D) -> (n, C, H, W)

    def _points(self, x: np.ndarray) -> Tensor:
        return super()._points(x) if self.shape is None else self._values(x).double() / 255


class NaiveBayesClassifier(PlausibleClassifier):
    """Bayes' rule on a product of categorical distributions; see ``NaiveBayes``.

    levels  every feature is cut into so many steps of equal width between its smallest and its
            largest value in the training data.
    """

    def __init__(self, levels: int = 16, smoothing: float = 1.0):
        self.levels = levels
        self.smoothing = smoothing

    def _build(self, space: Space) -> Model:
        return NaiveBayes(space, NaiveBayes.Config(smoothing=self.smoothing))

    def _space(self, x: np.ndarray, classes: int) -> Space:
        self.low_, self.width_ = x.min(0), np.ptp(x, 0)  # (n, D) -> (D,)
        return Space((x.shape[1],), self.levels, classes)

    def _values(self, x: np.ndarray) -> Tensor:
        width = np.where(self.width_ > 0, self.width_, 1)
        steps = np.floor((x - self.low_) / width * self.levels).clip(0, self.levels - 1)
        return torch.from_numpy(steps.astype(np.uint8))

    def _points(self, x: np.ndarray) -> Tensor:
        return self._values(x).double() / (self.levels - 1)
