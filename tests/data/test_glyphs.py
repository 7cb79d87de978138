"""Pictures of characters: the factors have the shares that were asked for, and the pictures show them."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.glyphs import FONTS, GROUNDS, INKS, LETTERS, Glyphs
from plausible.data.load import load
from plausible.data.options import Options

STILL = Glyphs(
    "I",
    fonts=(1, 0, 0, 0, 0),
    inks=(1, 0, 0, 0, 0, 0),
    slant=0.0,
    heights=(0.6, 0.6),
    shift=0.0,
    jitter=0.0,
    noise=0.0,
)  # one upright stroke, black and in the middle


def factors_of(glyphs, n=5000, seed=0):
    return glyphs.factors(n, torch.Generator().manual_seed(seed))


def test_every_factor_has_the_share_that_was_asked_for():
    asked = Glyphs(fonts=(2, 1, 1, 1, 0), inks=(1, 1, 1, 1, 1, 0.5))
    factors = factors_of(asked)
    assert chisquare(torch.bincount(factors.glyph, minlength=10).numpy()).pvalue > 0.01
    fonts = torch.bincount(factors.font, minlength=len(FONTS))
    assert fonts[4] == 0
    assert chisquare(fonts[:4].numpy(), 5000 * np.array([2, 1, 1, 1]) / 5).pvalue > 0.01
    inks = torch.bincount(factors.ink, minlength=len(INKS))
    assert chisquare(inks.numpy(), 5000 * np.array([2, 2, 2, 2, 2, 1]) / 11).pvalue > 0.01
    assert chisquare(torch.bincount(factors.ground, minlength=len(GROUNDS)).numpy()).pvalue > 0.01
    assert kstest(factors.slant.numpy() / asked.slant, "norm").pvalue > 0.01
    assert factors.height.min() >= 0.5
    assert factors.height.max() <= 0.8


def test_a_font_for_each_glyph_is_a_dependence_and_nothing_else():
    factors = factors_of(Glyphs(font_of_glyph=True))
    assert torch.equal(factors.font, factors.glyph % len(FONTS))
    other = factors_of(Glyphs())
    for field in fields(factors):
        if field.name != "font":
            assert torch.equal(getattr(factors, field.name), getattr(other, field.name)), field.name


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [8, 33, 64])
def test_any_size_and_channels_and_the_same_seed_gives_the_same(size, channels):
    x, factors = Glyphs(LETTERS).sample(30, size, channels, seed=3)
    assert x.shape == (30, channels, size, size)
    assert x.dtype == torch.uint8
    assert len(factors) == 30
    again, _ = Glyphs(LETTERS).sample(30, size, channels, seed=3)
    assert torch.equal(x, again)
    assert not torch.equal(x, Glyphs(LETTERS).sample(30, size, channels, seed=4)[0])


def test_grey_is_the_luminance_of_the_colours_and_no_seed_changes_with_it():
    colour, _ = Glyphs(noise=0.0).sample(50, 16, 3)
    grey, _ = Glyphs(noise=0.0).sample(50, 16, 1)
    luma = (colour.float() * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1)
    assert (luma - grey[:, 0]).abs().max() <= 1


def test_without_a_ground_the_ink_is_transparent_where_there_is_none():
    x, _ = STILL.sample(20, 32, 4)
    colour, alpha = x[:, :3], x[:, 3]
    assert (alpha[:, 0] == 0).all()  # nothing at the border
    assert (alpha.flatten(1).amax(1) > 200).all()
    ink = torch.tensor(INKS["black"]).mul(255).round()[:, None]
    for item, cover in zip(colour, alpha, strict=True):
        assert (item[:, cover > 0] == ink).all()
        assert (item[:, cover == 0] == 0).all()


def ink_moments(glyphs, **changes):
    """Weight, mean (x, y), covariance of the dark pixels of a first picture, in its side."""
    x, _ = replace(glyphs, **changes).sample(40, 64, 1)
    dark = (x[0, 0, 0, 0].double() - x[0, 0].double()).clamp(min=0)
    place = (torch.arange(64).double() + 0.5) / 64 - 0.5
    total = dark.sum()
    across, down = (dark.sum(0) * place).sum() / total, (dark.sum(1) * place).sum() / total
    high = ((dark.sum(1) * (place - down) ** 2).sum() / total).sqrt()
    shear = (dark * (place - down)[:, None] * (place - across)).sum() / total / high**2
    return across.item(), down.item(), high.item(), shear.item()


def test_what_is_drawn_has_the_place_the_height_and_the_slant_of_its_factors():
    upright = ink_moments(STILL)
    assert upright[0] == pytest.approx(0, abs=0.01)
    assert upright[1] == pytest.approx(0, abs=0.01)
    assert upright[2] == pytest.approx(0.6 / 12**0.5, rel=0.1)  # a stroke of that length
    assert upright[3] == pytest.approx(0, abs=0.01)
    assert ink_moments(STILL, heights=(0.8, 0.8))[2] / upright[2] == pytest.approx(8 / 6, rel=0.03)
    slanted = replace(STILL, slant=0.3)
    _, factors = slanted.sample(40, 64, 1)
    assert ink_moments(slanted)[3] == pytest.approx(-factors.slant[0].item(), abs=0.03)
    moved = replace(STILL, shift=0.1, slant=0.3)
    _, factors = moved.sample(40, 64, 1)
    across, down, _, _ = ink_moments(moved)
    assert across == pytest.approx(factors.across[0].item(), abs=0.01)
    assert down == pytest.approx(factors.down[0].item(), abs=0.01)


def test_bad_requests_are_refused():
    with pytest.raises(UsageError, match="8 to 64 pixels"):
        Glyphs().sample(1, 7)
    with pytest.raises(UsageError, match="1, 3 or 4"):
        Glyphs().sample(1, 32, 2)
    with pytest.raises(UsageError, match="5 shares"):
        Glyphs(fonts=(1, 1)).sample(1)


def test_they_are_a_data_set_by_name_with_the_characters_as_classes():
    data = load("glyphs", Options(size=8, channels=1))
    assert data.space == Space((1, 8, 8), 256, 10)
    assert data.class_names == tuple("0123456789")
    assert load("glyphs", Options(size=8, channels=1)).hashes == data.hashes
    x, factors = Glyphs().sample(10_000, 8, 1)
    values = torch.cat([part.values for part in (data.train, data.validation, data.heldout)])
    assert values.sum(dtype=torch.int64) == x.sum(dtype=torch.int64)
    shares = torch.cat([part.y for part in (data.train, data.validation, data.heldout)])
    assert torch.equal(torch.bincount(shares), torch.bincount(factors.glyph))
