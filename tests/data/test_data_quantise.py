"""Levels go there and back, agree with the Space, and refuse what is no number of levels."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.quantise import binarise, requantise

LEVELS = st.integers(2, 256)


@settings(deadline=None)
@given(LEVELS, LEVELS)
def test_more_levels_lose_nothing(a: int, b: int) -> None:
    fewer, more = min(a, b), max(a, b)
    codes = np.arange(fewer, dtype=np.uint8)
    assert (requantise(requantise(codes, fewer, more), more, fewer) == codes).all()


@settings(deadline=None)
@given(LEVELS, LEVELS)
def test_requantised_is_the_nearest_point_of_the_space(old: int, new: int) -> None:
    codes = np.arange(old, dtype=np.uint8)
    got = requantise(codes, old, new)
    assert got[0] == 0
    assert got[-1] == new - 1
    exact = codes.astype(np.float64) / (old - 1)
    assert np.abs(got / (new - 1) - exact).max() <= 0.5 / (new - 1) + 1e-12


def test_agrees_with_the_space() -> None:
    x = Space((1,), 17).decode(torch.arange(17)[:, None])
    for levels in (2, 3, 5, 256):
        want = Space((1,), levels).codes(x)[:, 0].numpy()
        assert (requantise(np.arange(17, dtype=np.uint8), 17, levels) == want).all()


def test_static_draw_is_fair_and_fixed() -> None:
    codes = np.tile(np.array([0, 64, 128, 255], np.uint8), (20_000, 1))
    drawn = binarise(codes, 256)
    assert (drawn == binarise(codes, 256)).all()
    assert np.abs(drawn.mean(0) - codes[0] / 255).max() < 4 * (0.25 / 20_000) ** 0.5
    assert drawn.mean(0)[[0, 3]].tolist() == [0, 1]


@pytest.mark.parametrize("levels", [-1, 0, 1, 257])
def test_refused_levels(levels: int) -> None:
    with pytest.raises(UsageError, match=f"between 2 and 256, not {levels}"):
        load("digits", Options(levels=levels))


def test_binarise_fixes_the_levels() -> None:
    with pytest.raises(UsageError, match="cannot go with --levels 4"):
        load("digits", Options(levels=4, binarise="dynamic"))
    assert load("digits", Options(levels=2, binarise="dynamic")).space.levels == 2
    assert load("digits", Options(levels=4)).space.levels == 4
