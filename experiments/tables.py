"""Small tables by Bayes' rule: iris, wine and breast cancer beside three classifiers of scikit-learn.

Repeated stratified 10-fold cross-validation, the same folds for every model.  The error is paired: for each example
the share of repeats in which it is told right, less that of the best of scikit-learn, and the standard error of the
mean of these differences over examples.  Of the same repeats examples are independent but for the rows that their
models share.  Every data set is kept once it is done, and a later call takes up the others.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from benchmarks.record import kept, parser, record
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from plausible.core.model import Model
from plausible.core.space import Space
from plausible.models import GaussianMixture, PerClass
from plausible.sklearn import LogisticClassifier, NaiveBayesClassifier, PlausibleClassifier

SETS = {"iris": load_iris, "wine": load_wine, "breast-cancer": load_breast_cancer}
FOLDS = 10


class MixtureClassifier(PlausibleClassifier):
    """Bayes' rule on a mixture of Gaussians for each class."""

    def __init__(
        self, components: int | None = None, discriminative: float = 0.0, steps: int = 500
    ):
        self.components = components
        self.discriminative = discriminative
        self.steps = steps

    def _build(self, space: Space) -> Model:
        config = GaussianMixture.Config(
            components=self.components, discriminative=self.discriminative
        )
        return PerClass(space, lambda single: GaussianMixture(single, config))


def _standardised_qda() -> Any:
    # in units of any other scale, and with its own tolerance, it refuses these covariances as not of full rank
    return make_pipeline(StandardScaler(), QuadraticDiscriminantAnalysis(tol=1e-10))


def _standardised_logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


THEIRS: Mapping[str, Callable[[], Any]] = {
    "QDA": _standardised_qda,
    "GaussianNB": GaussianNB,
    "LogisticRegression": _standardised_logistic,
}
OURS: Mapping[str, Callable[[], Any]] = {
    "naive-bayes": NaiveBayesClassifier,
    "mixture of 1 a class": lambda: MixtureClassifier(1),
    "mixture a class": MixtureClassifier,
    "mixture of 1 a class, hybrid": lambda: MixtureClassifier(1, discriminative=30.0),
    "logistic": LogisticClassifier,
}


def right(make: Callable[[], Any], x: np.ndarray, y: np.ndarray, repeats: int, seed: int) -> Any:
    """The share of repeats in which each example is told right by a model that has not seen it: (n,)."""
    found = np.zeros(len(x))
    for repeat in range(repeats):
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed + repeat)
        for learn, test in folds.split(x, y):
            found[test] += make().fit(x[learn], y[learn]).predict(x[test]) == y[test]
    return found / repeats


def compared(name: str, repeats: int, seed: int) -> list[dict[str, Any]]:
    """A row for each model on one data set."""
    x, y = SETS[name](return_X_y=True)
    shares = {model: right(make, x, y, repeats, seed) for model, make in {**THEIRS, **OURS}.items()}
    best = max(THEIRS, key=lambda model: shares[model].mean())
    return [
        {
            "data": name,
            "model": model,
            "whose": "scikit-learn" if model in THEIRS else "plausible",
            "examples": len(x),
            "repeats": repeats,
            "accuracy": share.mean(),
            "best": best,
            "behind": (shares[best] - share).mean(),
            "error": (shares[best] - share).std(ddof=1) / len(x) ** 0.5,
        }
        for model, share in shares.items()
    ]


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--repeats", type=int, default=3)
    asked = flags.parse_args()
    torch.set_num_threads(1)
    repeats = 1 if asked.quick else asked.repeats
    rows = [] if asked.quick else kept(__file__, quick=False)
    for name in ["iris"] if asked.quick else SETS:
        if not any((r["data"], r["repeats"]) == (name, repeats) for r in rows):
            rows = [r for r in rows if r["data"] != name] + compared(name, repeats, asked.seed)
            record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
