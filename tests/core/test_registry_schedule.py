import math

import pytest

from plausible.core.errors import UsageError
from plausible.core.registry import Registry
from plausible.core.schedule import at, cosine


def test_a_registry_fills_itself_and_names_the_choices():
    losses = Registry("loss")

    @losses
    def least_squares():
        return 1

    assert losses["least-squares"] is least_squares
    with pytest.raises(
        UsageError, match=r"unknown loss 'least-square': choose from least-squares; did"
    ):
        losses["least-square"]
    with pytest.raises(ValueError, match="two entries"):
        losses(least_squares)


def test_cosine_is_constant_outside_its_span_and_half_way_in_the_middle():
    schedule = cosine(4.0, 2.0, begin=0.2, until=0.6)
    assert [at(schedule, u) for u in (0, 0.2, 0.4, 0.6, 1)] == pytest.approx([4, 4, 3, 2, 2])
    assert at(schedule, 0.3) == pytest.approx(4 - (1 - math.cos(math.pi / 4)))
    assert at(0.5, 0.9) == 0.5
