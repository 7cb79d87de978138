"""LinearRegression and softmax regression against scikit-learn, and the convnet beside them."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression as Peer
from sklearn.linear_model import Ridge
from tests.conftest import make_data

import plausible
from plausible import Settings, Space, train
from plausible.core.errors import UsageError
from plausible.evaluation.metrics.classification import accuracy
from plausible.models import LinearRegression, LogisticRegression


@pytest.fixture(scope="module")
def digits():
    return plausible.load("digits")


def fitted(model, data, **settings):
    training = train(model, data, Settings(**settings))
    steps = list(training)
    return training, steps


def inputs(model, part):
    batch = part.as_batch()
    return model.standardise(batch.x).flatten(1).double().numpy(), batch.y.numpy()


def test_linear_is_ridge_regression_on_one_hot_targets(digits):
    model = LinearRegression(digits.space, LinearRegression.Config(ridge=2.0))
    training, steps = fitted(model, digits)
    x, y = inputs(model, digits.train)
    peer = Ridge(alpha=2.0).fit(x, np.eye(10)[y])
    np.testing.assert_allclose(model.weight.numpy(), peer.coef_, atol=1e-5)
    np.testing.assert_allclose(model.bias.numpy(), peer.intercept_, atol=1e-5)
    error = ((peer.predict(x) - np.eye(10)[y]) ** 2).sum(1).mean()
    assert steps[-1].values()["linear"]["squared error"] == pytest.approx(error, rel=1e-5)
    assert training.finished
    assert len(steps) == 1


def test_the_posterior_of_linear_decides_as_its_scores_and_sums_to_one(digits):
    training, _ = fitted(LinearRegression(digits.space), digits)
    x = digits.heldout.as_batch().x
    posterior = training.averaged.log_posterior(x)
    assert torch.equal(posterior.argmax(1), training.averaged.decision_function(x).argmax(1))
    assert torch.allclose(posterior.exp().sum(1), torch.ones(len(x)))


@pytest.mark.parametrize("l2", [1e-4, 1e-2])
def test_logistic_reaches_the_optimum_that_scikit_learn_reaches(digits, l2):
    model = LogisticRegression(digits.space, LogisticRegression.Config(l2=l2, tolerance=1e-7))
    training, _ = fitted(model, digits, steps=1000)
    assert training.finished
    x, y = inputs(model, digits.train)
    peer = Peer(C=1 / (l2 * len(y)), tol=1e-9, solver="newton-cholesky").fit(x, y)

    def cost(weight, bias):
        scores = x @ weight.T + bias
        log_p = scores - np.logaddexp.reduce(scores, 1, keepdims=True)
        return -log_p[np.arange(len(y)), y].mean() + l2 / 2 * (weight**2).sum()

    ours, best = cost(model.weight.numpy(), model.bias.numpy()), cost(peer.coef_, peer.intercept_)
    assert ours == pytest.approx(best, rel=1e-5)
    assert np.abs(model.weight.numpy() - peer.coef_).max() < 0.01 * np.abs(peer.coef_).max()


def test_logistic_stops_by_itself_and_long_before_its_budget(digits):
    training, steps = fitted(LogisticRegression(digits.space), digits)
    assert training.finished
    assert training.clock.progress < 1
    assert len(steps) < training.settings.steps / 2
    costs = [step.values()["logistic"]["cost"] for step in steps]
    assert costs == sorted(costs, reverse=True)
    assert accuracy(training.averaged, digits.heldout) > 0.95


def test_vectors_of_any_scale_are_classified():
    space = Space((3,), None, 2)
    data = make_data(space, 600)
    for part in (data.train, data.heldout):
        part.values[:, 1] = part.y.float() * 1000 + part.values[:, 1]
    for kind in (LinearRegression, LogisticRegression):
        training, _ = fitted(kind(space), data)
        assert accuracy(training.averaged, data.heldout) == 1


@pytest.mark.parametrize("kind", [LinearRegression, LogisticRegression])
def test_what_cannot_be_is_refused(kind):
    with pytest.raises(UsageError, match="labels"):
        kind(Space((4,)))
    with pytest.raises(UsageError, match="--size"):
        kind(Space((3, 128, 128), 256, 2))
    data = make_data(Space((4,), None, 2))
    with pytest.raises(UsageError, match="--micro-batch"):
        train(kind(data.space), data, Settings(micro_batch=4))


def test_constant_coordinates_need_no_shrinking():
    data = make_data(Space((4,), None, 2), 90)
    for part in (data.train, data.heldout):
        part.values[:, 2] = 7.0
    training, _ = fitted(
        LogisticRegression(data.space, LogisticRegression.Config(l2=1e-30)), data, steps=3
    )
    assert training.averaged.weight.isfinite().all()


def test_one_class_alone_is_said_to_be_one():
    with pytest.raises(UsageError, match="one class only"):
        LogisticRegression(Space((4,), None, 1))


def test_wrong_numbers_are_refused():
    for wrong in ({"l2": 0}, {"tolerance": -1}, {"l2": math.inf}):
        with pytest.raises(UsageError):
            LogisticRegression.Config(**wrong)
    for ridge in (0, math.inf):
        with pytest.raises(UsageError, match="ridge"):
            LinearRegression.Config(ridge=ridge)
