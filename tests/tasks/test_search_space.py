"""What a sweep tries of a model comes from the bounds that its Config declares."""

import optuna
import pytest
from tests.conftest import make_data

from plausible.core.errors import UsageError
from plausible.core.model import models
from plausible.core.space import Space
from plausible.models import GAN, VAE, GaussianMixture, LinearRegression, NaiveBayes
from plausible.tasks.search_space import Dimension, search_space

IMAGES = Space((1, 8, 8), levels=17, classes=10)


def test_a_number_is_tried_around_its_default_and_within_its_bounds():
    (lr, momentum, layers) = search_space(
        GAN(IMAGES, GAN.Config(width=8)), "learning_rate,beta1,updates"
    )
    assert (lr.name, lr.low, lr.high, lr.log) == ("lr", 2e-4, 2e-2, True)
    assert (momentum.low, momentum.log) == (0, False)
    assert 0.9 < momentum.high < 1  # which 1 is no value of
    assert (layers.low, layers.high, layers.whole, layers.log) == (1, 4, True, True)


def test_a_width_left_to_the_data_is_tried_around_what_they_decided():
    (width,) = search_space(VAE(IMAGES, VAE.Config(width=32)), "width")
    assert (width.low, width.high, width.step, width.default) == (8, 128, 8, 32)
    (decided,) = search_space(VAE(IMAGES), "width")
    assert decided.default
    assert decided.low < decided.default < decided.high


def test_names_and_switches_are_tried_in_all_their_values():
    loss, condition, switch = search_space(
        GAN(IMAGES, GAN.Config(width=8)), "loss,condition,spectral-norm"
    )
    assert "hinge" in loss.values
    assert loss.default == "relativistic"
    assert condition.values == ("projection", "auxiliary", "concatenation")
    assert switch.values == (True, False)


def test_a_range_or_names_may_be_given():
    lr, loss, width = search_space(
        GAN(IMAGES, GAN.Config(width=8)), "lr=1e-4:1e-3, loss=hinge|minimax, width=4|8"
    )
    assert (lr.low, lr.high, lr.log) == (1e-4, 1e-3, True)
    assert loss.values == ("hinge", "minimax")
    assert width.values == (4, 8)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("witdh", "unknown choice of gan 'witdh'"),
        ("penalties", "needs values to try: penalties=LOW:HIGH"),
        ("lr=2:1", "needs a low below its high"),
        ("lr=0:1", "--lr must be more than 0, not 0"),
        ("width=a:b", "neither LOW:HIGH nor values"),
        ("loss=hing", "unknown loss 'hing'"),
    ],
)
def test_what_cannot_be_tried_is_one_sentence(asked, said):
    with pytest.raises(UsageError) as refusal:
        search_space(GAN(IMAGES, GAN.Config(width=8)), asked)
    assert said in str(refusal.value)


def test_the_usual_numbers_are_tried_if_nobody_says():
    names = lambda model, asked="": [each.name for each in search_space(model, asked)]  # noqa: E731
    assert names(VAE(IMAGES)) == ["width", "latent", "lr", "batch"]
    assert names(NaiveBayes(IMAGES)) == ["smoothing"]
    assert names(GaussianMixture(Space((2,)))) == ["components"]
    assert names(LinearRegression(IMAGES)) == ["ridge"]


def test_every_model_has_something_to_try_and_takes_what_is_chosen():
    data = make_data(Space((1, 2, 2), levels=2, classes=2))
    vectors = make_data(Space((3,), classes=2))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for kind in models.values():
        try:
            model = kind(data.space, kind.Config())
        except UsageError:
            model = kind(vectors.space, kind.Config())
        space = search_space(model)
        trial = study.ask()
        kind.Config(**{each.name: each.suggest(trial) for each in space})
        for each in space:
            assert Dimension.from_dict(each.to_dict()) == each
            assert each.name in str(each).replace("-", "_")


def test_widths_are_multiples():
    (width,) = search_space(VAE(IMAGES, VAE.Config(width=32)), "width")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    values = [width.suggest(study.ask()) for _ in range(40)]
    assert {value % 8 for value in values} == {0}
    assert min(values) == 8
    assert max(values) > 64
