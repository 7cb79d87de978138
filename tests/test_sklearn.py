"""scikit-learn's own checks of an estimator, and a pipeline with a grid search."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from plausible.sklearn import (
    ConvNetClassifier,
    LinearClassifier,
    LogisticClassifier,
    NaiveBayesClassifier,
)

ESTIMATORS = [
    LinearClassifier(),
    LogisticClassifier(),
    ConvNetClassifier(width=16, lr=1e-2, steps=10),
    NaiveBayesClassifier(),
]


@pytest.mark.slow
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_flowers_are_told_apart(estimator):
    x, y = load_iris(return_X_y=True)
    assert cross_val_score(estimator, x, y, cv=3).mean() > 0.8


def test_a_pipeline_with_a_grid_search_and_labels_that_are_words():
    x, y = load_digits(return_X_y=True)
    words = np.array(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    )
    pipeline = make_pipeline(MinMaxScaler(), LogisticClassifier())
    search = GridSearchCV(pipeline, {"logisticclassifier__l2": [1e-4, 1e-3]}, cv=2)
    search.fit(x[:600], words[y[:600]])
    assert search.score(x[600:], words[y[600:]]) > 0.85
    assert set(search.predict(x[:5])) <= set(words)


def test_images_for_the_convnet_and_torchs_random_numbers_left_alone():
    x, y = load_digits(return_X_y=True)
    before = torch.get_rng_state()
    net = ConvNetClassifier(shape=(1, 8, 8), width=8, steps=100).fit(x[:1000] * 255 / 16, y[:1000])
    assert torch.equal(before, torch.get_rng_state())
    assert net.score(x[1000:] * 255 / 16, y[1000:]) > 0.9
    with pytest.raises(ValueError, match="features"):
        ConvNetClassifier(shape=(1, 9, 9)).fit(x, y)
