"""Classifiers, densities, generators and outlier detection as scikit-learn estimators, for pipelines and grid searches.

>>> from sklearn.datasets import load_iris
>>> from sklearn.model_selection import GridSearchCV
>>> x, y = load_iris(return_X_y=True)
>>> search = GridSearchCV(LogisticClassifier(), {"l2": [1e-4, 1e-3, 1e-2]}).fit(x, y)
>>> bool(search.score(x, y) > 0.9)
True
>>> density = MixtureDensity(components=3).fit(x)
>>> density.score_samples(x).shape, density.sample(2).shape
((150,), (2, 4))
"""

from plausible.sklearn.classifiers import (
    ConvNetClassifier,
    LinearClassifier,
    LogisticClassifier,
    NaiveBayesClassifier,
    PlausibleClassifier,
)
from plausible.sklearn.densities import (
    FlowDensity,
    MixtureDensity,
    NaiveBayesDensity,
    PlausibleDensity,
    RBMDensity,
)
from plausible.sklearn.generator import PlausibleGenerator
from plausible.sklearn.outliers import ConformalOutlierDetector

__all__ = [
    "ConformalOutlierDetector",
    "ConvNetClassifier",
    "FlowDensity",
    "LinearClassifier",
    "LogisticClassifier",
    "MixtureDensity",
    "NaiveBayesClassifier",
    "NaiveBayesDensity",
    "PlausibleClassifier",
    "PlausibleDensity",
    "PlausibleGenerator",
    "RBMDensity",
]
