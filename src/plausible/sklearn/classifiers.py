"""The classifiers: p(y | x) learned at once, or by Bayes' rule."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from plausible.core.capabilities import Classifier
from plausible.core.device import seeded
from plausible.core.model import Explicit, Model
from plausible.core.space import Space
from plausible.models.discriminative import ConvNet, LinearRegression, LogisticRegression
from plausible.models.naive_bayes import NaiveBayes
from plausible.recognition.bayes import BayesClassifier
from plausible.sklearn.learning import learned, seed_of
from plausible.sklearn.rows import Images, Rows, Steps, Vectors


class PlausibleClassifier(ClassifierMixin, BaseEstimator):
    """What the estimators share: X (n, D) real numbers, y (n,) labels of any kind.

    classes_  the labels in order.    model_  the trained model, in float64.    rows_  how X is read.
    The same ``random_state`` gives the same numbers; torch's own generators are left as they were.
    """

    @abstractmethod
    def _build(self, space: Space) -> Model:
        """A new model of such data."""

    def _rows(self, x: np.ndarray) -> Rows:
        """How X (n, D) is read."""
        return Vectors(x.shape[1])

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from X (n, D) and y (n,)."""
        x, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"a classifier needs 2 classes, and y holds one class: {self.classes_[0]}"
            )
        self.rows_ = self._rows(x)
        seed, steps = seed_of(getattr(self, "random_state", 0)), getattr(self, "steps", None)
        with seeded(seed):
            model = self._build(self.rows_.space(len(self.classes_)))
            values, y = self.rows_.values(x), torch.from_numpy(labels.astype(np.int64))
            self.model_ = learned(model, values, y, steps, seed)
        return self

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """log p(y | x) in nats, (n, classes)."""
        check_is_fitted(self)
        x = self.rows_.points(validate_data(self, X, reset=False))
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

    def _rows(self, x: np.ndarray) -> Rows:
        return super()._rows(x) if self.shape is None else Images.of(self.shape, x)


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

    def _rows(self, x: np.ndarray) -> Rows:
        return Steps.of(self.levels, x)
