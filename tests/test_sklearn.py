"""scikit-learn's own checks of each estimator, its tools around them, and densities beside the truth."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binomtest
from sklearn.datasets import load_digits, load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from plausible.core.errors import UsageError
from plausible.sklearn import (
    ConformalOutlierDetector,
    ConvNetClassifier,
    FlowDensity,
    LinearClassifier,
    LogisticClassifier,
    MixtureDensity,
    NaiveBayesClassifier,
    NaiveBayesDensity,
    PlausibleGenerator,
    RBMDensity,
)

CLASSIFIERS = [
    LinearClassifier(),
    LogisticClassifier(),
    ConvNetClassifier(width=16, lr=1e-2, steps=10),
    NaiveBayesClassifier(),
]
DENSITIES = [
    NaiveBayesDensity(levels=8),
    MixtureDensity(components=1),
    FlowDensity(layers=1, width=4, steps=2),
    RBMDensity(hidden=4, steps=5),
]
OTHERS = [
    ConformalOutlierDetector(MixtureDensity(components=1)),
    PlausibleGenerator("mixture", choices={"components": 1}),
]


def named(estimator):
    return type(estimator).__name__


def two_bumps(n, seed):
    """Draws of a mixture of two Gaussians in the plane, and its log density."""
    random = np.random.default_rng(seed)
    means = np.array([[0.0, 0.0], [4.0, 4.0]])
    factors = np.array([[[1.0, 0.0], [0.8, 0.6]], [[0.5, 0.0], [0.0, 1.5]]])
    which = random.random(n) < 0.3
    noise = random.standard_normal((n, 2))
    x = np.where(which[:, None], noise @ factors[1].T + means[1], noise @ factors[0].T + means[0])

    def log_density(x):
        logs = []
        for weight, mean, factor in zip((0.7, 0.3), means, factors, strict=True):
            white = (x - mean) @ np.linalg.inv(factor).T
            volume = np.log(weight / (2 * np.pi * abs(np.linalg.det(factor))))
            logs.append(volume - (white**2).sum(1) / 2)
        return np.logaddexp(*logs)

    return x, log_density


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no input can be called")
@pytest.mark.parametrize("estimator", CLASSIFIERS + DENSITIES + OTHERS, ids=named)
def test_scikit_learns_checks(estimator):
    """All of them in one test: to begin and end a test takes as long as most of them."""
    found = check_estimator(estimator, on_skip=None, on_fail=None)
    assert len(found) > 30
    failed = {each["check_name"]: each["exception"] for each in found if each["status"] == "failed"}
    assert not failed


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=named)
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


def test_a_mixture_is_that_of_scikit_learn_and_near_the_truth():
    train, log_density = two_bumps(2000, 0)
    new, _ = two_bumps(4000, 1)
    ours, theirs = MixtureDensity(2).fit(train), GaussianMixture(2, random_state=0).fit(train)
    assert np.abs(ours.score_samples(new) - theirs.score_samples(new)).max() < 0.1
    assert ours.score(new) == pytest.approx(theirs.score(new), abs=2e-3)
    kernels = KernelDensity(bandwidth=0.4).fit(train)
    lost = [log_density(new).mean() - score for score in (ours.score(new), kernels.score(new) / len(new))]  # fmt: skip
    # 11 parameters lose 11 / 2n nats on average, 0.003
    assert 0 <= lost[0] < 0.02 < lost[1]


def test_a_flow_learns_what_one_gaussian_cannot():
    train, log_density = two_bumps(1000, 0)
    new, _ = two_bumps(1000, 1)
    flow = FlowDensity(layers=3, width=16, steps=50).fit(train)
    assert flow.score(new) > MixtureDensity(1).fit(train).score(new) + 0.1
    assert flow.score(new) < log_density(new).mean() + 0.01
    drawn = flow.sample(1000)
    assert drawn.shape == (1000, 2)
    assert np.abs(drawn.mean(0) - train.mean(0)).max() < 0.3
    assert np.array_equal(drawn, flow.sample(1000))  # by the random_state of the estimator
    assert not np.array_equal(drawn, flow.sample(1000, random_state=1))


@pytest.mark.parametrize(
    "estimator", [NaiveBayesDensity(levels=3), RBMDensity(hidden=3, steps=50)], ids=named
)
def test_probabilities_on_steps_sum_to_one_and_samples_follow_them(estimator):
    x = np.random.default_rng(0).integers(0, 3, (200, 3)) * 5.0 + 1
    fitted = estimator.fit(x)
    ends = [1.0, 11.0] if isinstance(estimator, RBMDensity) else [1.0, 6.0, 11.0]
    every = np.array(list(itertools.product(ends, repeat=3)))
    p = np.exp(fitted.score_samples(every))
    assert p.sum() == pytest.approx(1, abs=1e-6)
    drawn = fitted.sample(4000)
    found = (drawn[:, None] == every).all(2).mean(0)
    assert found.sum() == pytest.approx(1)  # nowhere else
    assert np.abs(found - p).max() < 4 * np.sqrt(p.max() / 4000)
    # steps at the ends have no end
    assert fitted.score_samples([[-9, 1, 1]]) == fitted.score_samples([[1, 1, 1]])


def test_a_grid_search_chooses_by_the_density_of_what_is_left_out():
    x, _ = two_bumps(400, 0)
    pipeline = make_pipeline(StandardScaler(), MixtureDensity())
    search = GridSearchCV(pipeline, {"mixturedensity__components": [1, 2, 12]}, cv=3).fit(x)
    assert search.best_params_ == {"mixturedensity__components": 2}
    assert search.best_estimator_.score_samples(x[:5]).shape == (5,)
    assert np.isfinite(cross_val_score(NaiveBayesDensity(), x, cv=3)).all()


@pytest.mark.parametrize(
    "estimator", [MixtureDensity(1), ConformalOutlierDetector(MixtureDensity(1))], ids=named
)
def test_the_columns_of_a_data_frame_are_remembered_by_name(estimator):
    frame = pd.DataFrame(two_bumps(100, 0)[0], columns=["length", "width"])
    fitted = estimator.fit(frame)
    assert list(fitted.feature_names_in_) == ["length", "width"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.score_samples(frame)
    with pytest.raises(ValueError, match="order"):
        fitted.score_samples(frame[["width", "length"]])


def test_a_density_leaves_torchs_random_numbers_alone_and_says_its_kind():
    x, _ = two_bumps(100, 0)
    before = torch.get_rng_state()
    fitted = FlowDensity(layers=1, width=4, steps=2).fit(x)
    fitted.sample(3)
    said = fitted.log_prob(x)
    assert torch.equal(before, torch.get_rng_state())
    assert (said.kind, said.reference) == ("=", "density")
    wide = np.random.default_rng(0).random((50, 24))
    estimated = RBMDensity(hidden=30, steps=2).fit(wide).log_prob(wide[:2])
    assert estimated.kind == "~"
    assert estimated.shared > 0


@pytest.mark.parametrize("level", [0.05, 0.2])
def test_of_good_rows_at_most_the_level_is_refused(level):
    refused, asked = 0, 0
    for seed in range(40):
        x, _ = two_bumps(160, seed)
        # a density that is wrong refuses no more
        detector = ConformalOutlierDetector(MixtureDensity(1), level, random_state=seed)
        refused += int((detector.fit(x[:120]).predict(x[120:121]) == -1).sum())
        asked += 1
    assert binomtest(refused, asked, level, alternative="greater").pvalue > 0.01
    odd = x[120:] + 40
    assert (detector.predict(odd) == -1).all()


def test_what_is_refused_has_a_p_value_of_at_most_the_level():
    x, _ = two_bumps(300, 0)
    new = np.concatenate([two_bumps(200, 1)[0], np.random.default_rng(0).normal(0, 6, (200, 2))])
    for level in (0.01, 0.05, 0.3):
        detector = ConformalOutlierDetector(KernelDensity(), level).fit(x)
        p, said = detector.p_values(new), detector.predict(new)
        assert ((p <= level + 1e-12) == (said == -1)).all()
        assert set(said) == {1, -1}
        assert ((detector.decision_function(new) < 0) == (said == -1)).all()
        assert p.min() >= 1 / 151
    # what was fitted before is taken as it is
    fitted = MixtureDensity(2).fit(x)
    frozen = ConformalOutlierDetector(FrozenEstimator(fitted)).fit(x)
    assert np.array_equal(frozen.score_samples(new), fitted.score_samples(new))


def test_too_few_rows_to_refuse_any_are_a_warning():
    x, _ = two_bumps(20, 0)
    with pytest.warns(UserWarning, match="at a level of 0.05: there are 10 examples .* 0.091 would do"):  # fmt: skip
        detector = ConformalOutlierDetector(MixtureDensity(1)).fit(x)
    assert (detector.predict(x + 1000) == 1).all()
    assert np.isfinite(detector.decision_function(x)).all()
    with pytest.raises(UsageError, match="level must lie between 0 and 1, not"):
        ConformalOutlierDetector(level=1.5).fit(x)


def test_a_gan_draws_images_of_the_class_that_is_asked_for():
    x, y = load_digits(return_X_y=True)
    words = np.array(["odd" if label % 2 else "even" for label in y])
    model = PlausibleGenerator(
        "gan",
        shape=(1, 8, 8),
        choices={"width": 4, "conditional": True},
        steps=3,
        validation_fraction=0,
    )
    model.fit(x[:200] * 255 / 16, words[:200])
    drawn = model.sample(5, "odd")
    assert drawn.shape == (5, 64)
    assert ((drawn >= 0) & (drawn <= 255) & (drawn % 1 == 0)).all()
    assert not np.array_equal(drawn, model.sample(5, "even"))
    assert model.sample(2, ["odd", "even"]).shape == (2, 64)
    with pytest.raises(UsageError, match=r"seven is no label .* choose from even, odd"):
        model.sample(1, "seven")
    with pytest.raises(UsageError, match="give fit the labels"):
        model.fit(x)


def test_what_a_generator_cannot_do_is_a_sentence():
    x, _ = two_bumps(40, 0)
    with pytest.raises(UsageError, match="logistic draws no samples"):
        PlausibleGenerator("logistic").fit(x)
    with pytest.raises(UsageError, match="validation_fraction must be"):
        PlausibleGenerator("mixture", validation_fraction=1.0).fit(x)
    fitted = PlausibleGenerator("mixture", choices={"components": 2}, validation_fraction=0).fit(x)
    with pytest.raises(UsageError, match="not conditional"):
        fitted.sample(1, "a")
    drawn = fitted.sample(2000)
    assert np.abs(drawn.mean(0) - x.mean(0)).max() < 4 * x.std(0).max() / np.sqrt(2000)
