"""Where real data are, and the share of them that samples hardly reach: what alarms and verdict both measure."""

import pytest
import torch
from torch import Tensor

from plausible.core.errors import NotDefined
from plausible.evaluation.missing_share import missing_by_chance, missing_share
from plausible.evaluation.reach import reach


def points(n: int, seed: int) -> Tensor:
    """Five directions of deviations 1 to 5."""
    x = torch.randn(n, 5, generator=torch.Generator().manual_seed(seed))
    return x * torch.arange(1, 6) + 7


def test_real_data_are_within_reach_and_what_leaves_their_directions_is_not():
    train = points(2000, 0)
    known = reach(train)
    assert known.misses(points(2000, 1)).float().mean() < 0.01
    assert not known.misses(train).any()
    assert known.misses(points(200, 2) + 40).all()
    flat = torch.cat(
        [train[:, :4], train[:, :1] + 0.01 * train[:, 4:]], 1
    )  # one direction is narrow
    off = flat.clone()
    off[:, 4] += 3.0  # a small step in pixels, and out of what varies
    assert reach(flat).misses(off).float().mean() > 0.9


def test_its_limit_does_not_change_with_units_and_few_or_equal_examples_have_none():
    train = points(300, 0)
    assert reach(1000 * train).limit == pytest.approx(reach(train).limit, rel=1e-4)
    for few in (train[:3], torch.ones(50, 5)):
        with pytest.raises(NotDefined):
            reach(few)


def test_real_images_are_within_reach_also_where_they_are_few_and_noise_of_little_contrast_is_not():
    generator = torch.Generator().manual_seed(3)
    grid = torch.linspace(0, 6, 16)
    phase, contrast = (
        6 * torch.rand(900, 2, 1, generator=generator),
        torch.rand(900, 1, 1, generator=generator),
    )
    waves = torch.sin(grid + phase[:, :1]).transpose(1, 2) * torch.sin(
        grid + phase[:, 1:]
    )  # (N, 16, 16)
    x = (0.5 + 0.4 * contrast * waves).flatten(1)
    known = reach(x[:150], images=True)  # fewer than coordinates
    assert known.misses(x[150:]).float().mean() < 0.01
    order = torch.rand(x[150:].shape, generator=generator).argsort(1)
    assert known.misses(x[150:].gather(1, order)).float().mean() > 0.9


def test_the_missing_share_is_the_mass_of_modes_without_half_of_their_due():
    real = torch.tensor([0.5, 0.3, 0.2])
    for samples, missing in (
        ([0.5, 0.3, 0.2], 0.0),
        ([0.75, 0.15, 0.1], 0.0),  # half of their due
        ([0.7, 0.3, 0.0], 0.2),
        ([1.0, 0.0, 0.0], 0.5),
        ([0.95, 0.05, 0.0], 0.4),
    ):
        assert missing_share(real, torch.tensor(samples)).item() == pytest.approx(missing)
    both = torch.tensor([[0.7, 0.3, 0.0], [1.0, 0.0, 0.0]])
    assert missing_share(real, both).tolist() == pytest.approx([0.2, 0.5])


def test_what_chance_adds_is_what_draws_of_the_real_shares_miss_on_average():
    real = torch.cat([torch.full((10,), 0.02), torch.full((8,), 0.1)])
    generator, n = torch.Generator().manual_seed(0), 256
    drawn = torch.multinomial(real, 2000 * n, replacement=True, generator=generator).view(2000, n)
    shares = torch.stack([torch.bincount(row, minlength=18) / n for row in drawn])  # (2000, K)
    missed = missing_share(real, shares)
    expected = missing_by_chance(real, n)
    assert missed.mean().item() == pytest.approx(expected, abs=4 * missed.std().item() / 2000**0.5)
    assert missing_by_chance(real, 10_000) < expected / 100
