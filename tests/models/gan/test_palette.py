"""A palette for each image: what it draws, and which data get one without being asked."""

from dataclasses import replace

import pytest
import torch

import plausible
from plausible.core.space import Space
from plausible.data.flat import flat_share, flat_shares
from plausible.data.part import Data, Part
from plausible.models import GAN
from plausible.models.gan.architectures.palette import Palette
from plausible.tasks.start import start

SPACE = Space((3, 32, 32), levels=256)


def sprites(n, seed, flat=True):
    """Images of 8 x 8 squares of one colour each, or of noise."""
    draw = torch.Generator().manual_seed(seed)
    side = 4 if flat else 32
    x = torch.randint(256, (n, 3, side, side), generator=draw, dtype=torch.uint8)
    return x.repeat_interleave(32 // side, 2).repeat_interleave(32 // side, 3)


def data(flat=True):
    parts = [Part(sprites(n, k, flat), None, SPACE) for k, n in enumerate((40, 8, 8))]
    return Data("squares", SPACE, *parts)


def test_where_shares_are_sure_there_are_no_more_colours_than_in_the_palette():
    torch.manual_seed(0)
    shares = torch.nn.Sequential(torch.nn.Linear(2, 5 * 64), torch.nn.Unflatten(1, (5, 8, 8)))
    network = Palette(shares, torch.nn.Linear(2, 5 * 3))
    z = torch.randn(4, 2)
    colours = network.colours(z).unflatten(1, (5, 3))
    with torch.no_grad():
        mixed = network(z)
        shares[0].weight *= 1e4
        shares[0].bias.zero_()
        sure = network(z)
    assert mixed.shape == sure.shape == (4, 3, 8, 8)
    for image, its in zip(sure, colours, strict=True):
        nearest = torch.cdist(image.flatten(1).T, its).amin(1)  # of each pixel to the palette
        assert nearest.max() < 1e-3
    low, high = colours.amin(1)[:, :, None, None], colours.amax(1)[:, :, None, None]
    assert ((mixed > low) & (mixed < high)).all()  # a mixture lies between what is mixed


def test_flat_shares_count_pairs_of_neighbours_of_one_colour():
    x = torch.zeros(3, 2, 4, 4)
    x[1, 0, :, 2:] = 1  # one edge from top to bottom: 4 of 24 pairs differ, in one channel
    x[2] = torch.arange(32.0).view(2, 4, 4)
    assert flat_shares(x[:, :, :1, :1]).tolist() == [1, 1, 1]
    assert flat_shares(x).tolist() == pytest.approx([1, 20 / 24, 0])
    assert flat_share(data().train) == pytest.approx(1 - 3 / 31)
    assert flat_share(data(flat=False).train) < 0.01


@pytest.mark.parametrize("flat", [True, False])
def test_images_that_are_flat_in_good_part_get_a_palette_and_it_is_said(flat, tmp_path):
    settings = plausible.Settings(steps=1)
    for name, choices in (("open", {}), ("chosen", {"architecture": "conv"})):
        _, training = start(
            "gan",
            data(flat),
            settings=settings,
            out=tmp_path / name,
            width=2,
            symmetries=(),
            **choices,
        )
        expected = choices.get("architecture", "palette" if flat else "antialiased")
        assert training.raw.architecture == expected
        said = [note for note in training.data.notes if "palette" in note]
        assert len(said) == (flat and not choices)
        assert all(
            "90% of neighbouring pixels" in note and "--architecture" in note for note in said
        )
        assert training.raw.batch == (64 if choices else 32)


def test_grey_or_small_images_and_what_was_chosen_stay_as_they_are():
    config = GAN.Config()
    grey = replace(SPACE, shape=(1, 32, 32))
    assert GAN.decided_by(config, grey, Part(sprites(8, 0)[:, :1], None, grey)) == (config, ())
    small = replace(SPACE, shape=(3, 8, 8))
    part = Part(sprites(8, 0)[:, :, ::4, ::4], None, small)
    assert GAN.decided_by(config, small, part) == (config, ())
    chosen = GAN.Config(architecture="resnet")
    assert GAN.decided_by(chosen, SPACE, data().train) == (chosen, ())


def test_what_a_data_set_is_like_says_how_flat_it_is():
    assert plausible.describe(data()).facts["flat areas"].startswith("90% of neighbouring pixels")
