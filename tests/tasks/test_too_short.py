"""A training that is far too short is told so, and how to go on with it."""

from pathlib import Path

import pytest

from plausible import GAN, VAE, Diffusion, NaiveBayes, Space
from plausible.diagnosis.history import History
from plausible.tasks.course import Course
from plausible.tasks.limiting_factor import Limit, find_limit
from plausible.tasks.too_short import too_short
from plausible.training import Settings

GREY = Space((1, 8, 8), levels=17)


def course(rounds, settings=None, model=GAN, folder="runs/a", **config):
    line = {"step": rounds - 1, "images": 0, "progress": 1.0, "seconds": 1.0}
    return Course(
        model(GREY, model.Config(**config)),
        settings or Settings(steps=rounds or 1),
        History([line] * (rounds > 0)),
        1000,
        100,
        400,
        Path(folder),
        source="digits",
    )


@pytest.mark.parametrize(
    ("short", "words"),
    [
        (course(24), "24 rounds of about 1,500: too short to judge; go on with: plausible resume runs/a --steps 1500"),
        (course(1), "1 round of about 1,500: too short to judge; go on with: plausible resume runs/a --steps 1500"),
        (course(15, Settings(minutes=0.5)), "15 rounds of about 1,500: too short to judge; go on with: plausible resume runs/a --minutes 50"),
        (course(24, Settings(steps=3000)), "24 rounds of about 1,500: too short to judge; go on with: plausible resume runs/a"),
        (course(24, folder="my runs/a"), "24 rounds of about 1,500: too short to judge; go on with: plausible resume 'my runs/a' --steps 1500"),
        (course(100, model=Diffusion), "100 rounds of about 20,000: too short to judge; go on with: plausible resume runs/a --steps 20000"),
        (course(10, model=VAE, batch=1024), "10 rounds of about 375: too short to judge; go on with: plausible resume runs/a --steps 375"),
    ],
)  # fmt: skip
def test_too_short_is_said_with_the_command_that_goes_on(short, words):
    assert str(too_short(short)) == words
    assert find_limit(short).limit is Limit.TIME


@pytest.mark.parametrize(
    "enough", [course(75), course(0, Settings(minutes=1.0)), course(1, model=NaiveBayes), None]
)
def test_what_is_long_enough_or_fitted_at_once_is_not(enough):
    assert too_short(enough) is None
