"""What limits a training, time, data or capacity, is read from its own learning curve."""

import math

import pytest
from tests.tasks.test_advise import (
    GREY,
    course,
    gan,
    halving,
    lines,
    vae,
)

from plausible.models import GAN, VAE, NaiveBayes
from plausible.tasks.limiting_factor import Limit, find_limit
from plausible.training import Settings


@pytest.mark.parametrize(
    ("curve", "limit", "word"),
    [
        (vae(lambda share: 100 + 20 * (1 - share)), Limit.TIME, "still fell by"),
        (gan(halving), Limit.TIME, "still fell by"),
        (vae(lambda share: 100.0, lambda share: 80.0), Limit.DATA, "20% lower"),
        (
            vae(lambda share: 100 + 20 * abs(share - 0.4), lambda share: 110 - 30 * share),
            Limit.DATA,
            "lowest after 601 of 1,500 rounds",
        ),
        (gan(lambda share: 1.1, (0.83, 0.7), (0.1, 0.05, 0.0)), Limit.DATA, "83% of all pairs"),
        (gan(halving, (0.83, 0.7), (0.1, 0.05, 0.0)), Limit.DATA, "1,168"),
        (vae(lambda share: 100.0), Limit.CAPACITY, "flat"),
        (gan(lambda share: 2.0), Limit.CAPACITY, "flat"),
        (vae(lambda share: 100.0, steps=400, settings=Settings(steps=400)), Limit.UNKNOWN, "too short"),
        (gan(lambda share: 2.0, steps=300, settings=Settings(steps=300)), Limit.UNKNOWN, "too short"),
        (gan(lambda share: 1 + share), Limit.UNKNOWN, "rose by"),
        (gan(lambda share: 2 + math.sin(30 * share)), Limit.UNKNOWN, "too noisy"),
        (gan(lambda share: 2.0, steps=700), Limit.TIME, "stopped after 700 of 1,500 rounds"),
        (course(VAE(GREY, VAE.Config()), []), Limit.UNKNOWN, "no score"),
        (course(NaiveBayes(GREY, NaiveBayes.Config()), []), Limit.UNKNOWN, "fitted to its end at once"),
    ],
)  # fmt: skip
def test_the_limit_is_read_from_the_learning_curve(curve, limit, word):
    found = find_limit(curve)
    assert found.limit is limit, found
    assert word in found.because


def test_the_sentence_says_by_how_much_the_score_fell():
    found = find_limit(gan(halving))
    assert found.evidence["fall in the last third"] == pytest.approx(0.5, abs=0.03)
    assert f"{found.evidence['fall in the last third']:.0%}" in found.because


def test_augmentation_that_was_driven_up_is_a_lack_of_data():
    curve = gan(lambda share: 1.1)
    for line in lines(["generator"], {}):
        curve.history.append(line | {"discriminator": {"augment": 0.5 * line["progress"]}})
    assert find_limit(curve).limit is Limit.DATA
    fixed = gan(lambda share: 1.1, config=GAN.Config(augment_strength=0.5))
    for line in lines(["generator"], {}):
        fixed.history.append(line | {"discriminator": {"augment": 0.5}})
    assert find_limit(fixed).limit is Limit.CAPACITY
