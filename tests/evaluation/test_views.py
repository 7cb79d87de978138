"""What critics are shown, and that each names what lies in its view and nothing else."""

import pytest
import torch
from evaluation_points import evalset

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.data.glyphs import Glyphs
from plausible.evaluation.critic.critic import aspects
from plausible.evaluation.critic.networks import bag_of_patches
from plausible.evaluation.critic.views import VIEWS, coarse, colours, fine_detail
from plausible.evaluation.verdict.defect import defects

SPACE = Space((3, 16, 16), 256)


def glyphs(n, seed):
    values, _ = Glyphs(noise=0.0).sample(n, 16, 3, seed)
    return SPACE.decode(values)


def test_a_coarse_view_is_blind_to_a_pattern_and_sees_where_things_are():
    x = torch.rand(5, 3, 32, 32)
    board = (torch.arange(32)[:, None] + torch.arange(32)) % 2 * 0.2 - 0.1
    assert coarse(x).shape == (5, 3, 8, 8)
    assert torch.allclose(coarse(x + board), coarse(x), atol=1e-6)
    assert not torch.allclose(coarse(x.roll(16, 3)), coarse(x), atol=0.01)
    assert coarse(torch.rand(1, 1, 9, 100)).shape == (1, 1, 4, 8)


def test_fine_detail_is_blind_to_brightness_and_slopes_and_a_bag_of_patches_to_places():
    x = torch.rand(5, 3, 20, 12)
    slope = torch.linspace(0, 1, 20)[:, None] + 0.3
    inside = (fine_detail(x + slope) - fine_detail(x))[..., 1:-1, 1:-1]
    assert inside.abs().max() < 1e-6
    assert fine_detail(torch.rand(1, 3, 200, 70)).shape == (1, 3, 64, 64)
    net = bag_of_patches((3, 20, 20)).eval()
    pattern = torch.zeros(1, 3, 20, 20)
    pattern[..., 8:12, 8:12] = torch.rand(4, 4)
    moved = pattern.roll((2, 2), (2, 3))
    assert torch.allclose(net(pattern), net(moved), atol=1e-5)


def test_colours_are_blind_to_places_and_each_share_is_counted():
    x = torch.rand(4, 3, 16, 16)
    seen = colours(x)
    assert seen.shape == (4, 3 * 16 + 64, 1, 1)
    shares = seen.square()[..., 0, 0]
    assert torch.allclose(shares[:, :48].unflatten(1, (3, 16)).sum(2), torch.ones(4, 3))
    assert torch.allclose(shares[:, 48:].sum(1), torch.ones(4))
    assert torch.allclose(colours(x.roll(4, 2)), seen)
    assert not torch.allclose(colours(x.flip(1)), seen, atol=0.01)


def test_what_has_no_such_aspect_is_told_why():
    assert aspects(SPACE) == ["whole", "shape", "texture", "colour"]
    assert aspects(Space((1, 8, 8), 17)) == ["whole", "shape", "texture"]
    assert aspects(Space((5,))) == ["whole"]
    for shape, name, reason in (
        ((1, 8, 8), "colour", "grey images have no colours"),
        ((3, 6, 9), "texture", "images of 9x6 pixels are too small"),
        ((4,), "shape", "shape is that of images"),
    ):
        x = torch.rand(30, *shape)
        with pytest.raises(NotDefined, match=reason):
            defects[name].function(
                evalset(x, x, x, space=Space(shape, 256 if len(shape) > 1 else None))
            )


@pytest.mark.slow
@pytest.mark.parametrize("aspect", ["shape", "texture", "colour"])
def test_each_critic_names_what_is_planted_in_its_view(aspect, monkeypatch):
    monkeypatch.setattr("plausible.evaluation.critic.convolutional.BUDGETS", (70, 70))
    changes = {
        "shape": lambda x: x.roll((8, 8), (2, 3)),
        "texture": lambda x: (x + 0.06 * torch.randn(x.shape)).clamp(0, 1),
        "colour": lambda x: x[:, [1, 2, 0]],
    }
    train, real, fresh = glyphs(400, 1), glyphs(300, 2), glyphs(400, 3)
    found = evalset(train, real, SPACE.quantise(changes[aspect](fresh)), space=SPACE)
    bounds = {name: defects[name].function(found).effect for name in changes}
    assert bounds[aspect] > 0.5
    assert all(bounds[name] < bounds[aspect] for name in bounds if name != aspect)
    alike = evalset(train, real, fresh, space=SPACE)
    assert defects[aspect].function(alike).effect < 0.1
    assert set(VIEWS) >= set(changes)
