"""Bounds said once, where a field is declared, and refused with its flag."""

import math
from dataclasses import dataclass
from typing import Annotated

import pytest

from plausible.core.bounds import (
    BELOW_ONE,
    COUNT,
    FINITE,
    NON_NEGATIVE,
    POSITIVE,
    SHARE,
    Bounds,
    check_bounds,
)
from plausible.core.errors import UsageError
from plausible.core.registry import Registry

colours: Registry[str] = Registry("colour")
colours["red"] = "#f00"


@dataclass(frozen=True)
class Config:
    width: Annotated[int, COUNT] | None = None
    warm_up: Annotated[float, SHARE] = 0.5
    decay: tuple[Annotated[float, POSITIVE], ...] = (1.0, 2.0)
    colour: Annotated[str, colours] = "red"
    more: tuple[Annotated[str, colours], ...] | None = None
    free: float = -1.0

    def __post_init__(self):
        check_bounds(self)


@dataclass(frozen=True)
class Derived(Config):
    heads: Annotated[int, COUNT] = 1


@pytest.mark.parametrize(
    ("bounds", "inside", "outside", "sentence"),
    [
        (COUNT, (1, 7), (0, -1), "be at least 1"),
        (POSITIVE, (1e-9, math.inf), (0, -1), "be more than 0"),
        (FINITE, (1e-9, 1e300), (0, math.inf), "be more than 0"),
        (SHARE, (0, 0.5, 1), (-0.1, 1.1), "lie between 0 and 1"),
        (BELOW_ONE, (0, 0.999), (1, -0.1), "be at least 0 and less than 1"),
        (NON_NEGATIVE, (0, 3), (-1,), "be at least 0"),
        (Bounds(above=1, at_most=2), (1.5, 2), (1, 2.5), "be more than 1 and at most 2"),
    ],
)
def test_an_interval_holds_its_numbers_and_says_so(bounds, inside, outside, sentence):
    assert all(value in bounds for value in inside)
    assert not any(value in bounds for value in (*outside, math.nan))
    assert str(bounds) == sentence


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"width": 0}, "--width must be at least 1, not 0"),
        ({"warm_up": 1.5}, "--warm-up must lie between 0 and 1, not 1.5"),
        ({"decay": (1.0, -2.0)}, "--decay must be more than 0, not -2.0"),
        ({"colour": "rde"}, "unknown colour 'rde'"),
        ({"more": ("red", "blue")}, "unknown colour 'blue'"),
    ],
)
@pytest.mark.parametrize("kind", [Config, Derived])
def test_the_first_field_outside_is_refused_with_its_flag(kind, wrong, sentence):
    with pytest.raises(UsageError) as refusal:
        kind(**wrong)
    assert str(refusal.value).startswith(sentence)


def test_none_is_passed_over_and_what_a_subclass_adds_is_looked_at():
    assert Derived(width=None, more=None, free=-7.0).width is None
    with pytest.raises(UsageError, match="--heads must be at least 1, not 0"):
        Derived(heads=0)
