"""Which changes of images can be told is found on the images, and no more is said than was seen."""

from dataclasses import replace

import pytest
import torch

import plausible
from plausible import Settings, fit
from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.data.symmetries import symmetries, symmetrised
from plausible.evaluation.symmetry import ask_symmetries, fitting_symmetries
from plausible.models import GAN
from plausible.runs import Run
from plausible.tasks import resume, symmetries_of
from plausible.tasks.start import start

SPACE = Space((1, 8, 8), levels=256)


def wedges(n, *, mirrored, seed=0):
    """Noise with brighter lower halves, of which the left is brighter still in all but a share of them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 1, 8, 8, generator=generator) * 0.6
    x[:, :, 4:] += 0.2
    x[:, :, :, :4] += 0.1
    swap = torch.rand(n, generator=generator) < mirrored
    x[swap] = x[swap].flip(3)
    return Part(SPACE.codes(x), None, SPACE)


def by_name(part, **choices):
    return {test.name: test for test in ask_symmetries(part, **choices)}


def test_what_can_be_told_is_told_and_what_cannot_is_not():
    one_sided, both = (by_name(wedges(600, mirrored=share)) for share in (0.0, 0.5))
    assert one_sided["mirror"].told
    assert one_sided["mirror"].accuracy > 0.8
    assert not both["mirror"].told
    assert both["mirror"].holds
    assert both["half-turn"].told
    assert both["quarter-turn"].told


@pytest.mark.slow
def test_where_nothing_can_be_told_the_p_values_are_those_of_chance():
    ps = [
        by_name(wedges(200, mirrored=0.5, seed=seed), seed=seed)["mirror"].p for seed in range(12)
    ]
    assert sum(p < 0.05 for p in ps) <= 3  # one is hardly expected
    assert max(ps) > 0.5


def test_few_images_say_nothing_and_nothing_is_done():
    few = by_name(wedges(60, mirrored=0.5))["mirror"]
    assert not few.told
    assert few.power < 0.9
    assert not few.holds
    assert ask_symmetries(wedges(2, mirrored=0.5)) == []


def test_the_same_seed_finds_the_same():
    part = wedges(200, mirrored=0.3)
    assert ask_symmetries(part, seed=1) == ask_symmetries(part, seed=1)
    assert ask_symmetries(part, seed=1) != ask_symmetries(part, seed=2)


def test_a_symmetry_of_all_classes_that_is_none_of_each_is_told():
    part = wedges(600, mirrored=0.0)
    y = (torch.rand(600, generator=torch.Generator().manual_seed(1)) < 0.5).long()
    codes = torch.where((y == 1)[:, None, None, None], part.values.flip(3), part.values)
    assert by_name(replace(part, values=codes))["mirror"].holds
    labelled = Part(codes, y, replace(SPACE, classes=2))
    assert by_name(labelled)["mirror"].told


def test_each_move_has_its_inverse_and_half_of_the_images_stay():
    x = torch.rand(400, 3, 8, 8)
    for symmetry in symmetries.values():
        for move in symmetry.moves:
            assert any(torch.equal(back(move(x)), x) for back in symmetry.moves)
        moved = (symmetrised(x, [symmetry.name]) != x).flatten(1).any(1).float().mean()
        assert 0.4 < moved < 0.6


def test_only_images_are_asked_about_and_turned_where_they_keep_their_shape():
    assert fitting_symmetries(Space((3,))) == []
    assert fitting_symmetries(Space((1, 7, 9), levels=2)) == []
    assert "quarter-turn" not in fitting_symmetries(Space((1, 8, 9), levels=2))
    with pytest.raises(UsageError, match="quarter-turn is of images as high as wide"):
        GAN(Space((1, 8, 9), levels=2), GAN.Config(symmetries=("quarter-turn",)))
    with pytest.raises(UsageError, match="mirror is of images"):
        GAN(Space((2,)), GAN.Config(symmetries=("mirror",)))


@pytest.fixture(scope="module")
def both():
    """Images that may be mirrored, as arrays of which a run knows the place."""
    return plausible.from_arrays(wedges(1000, mirrored=0.5).values[:, 0].numpy())


def test_a_gan_learns_by_what_was_found_says_so_and_goes_on_by_it(both, tmp_path, monkeypatch):
    found = symmetries_of(both)
    assert found.names == ("mirror",)
    (note,) = found.notes
    assert "mirrored left to right" in note
    small = {"width": 4, "steps": 2}
    trained = fit("gan", both, out=tmp_path / "run", **small)
    assert trained.run.config["config"]["symmetries"] == ["mirror"]
    assert note in trained.run.notes
    assert fit("gan", both, symmetries=(), **small).model.config.symmetries == ()
    monkeypatch.setattr("plausible.tasks.symmetries.ask_symmetries", None)  # is not asked again
    assert Run(tmp_path / "run").model().config.symmetries == ("mirror",)


def test_stopped_and_resumed_is_the_same_training(tmp_path):
    import numpy as np

    np.save(tmp_path / "x.npy", wedges(1000, mirrored=0.5).values[:, 0].numpy())
    data = str(tmp_path / "x.npy")
    whole = fit("gan", data, steps=4, width=4, watch=False)
    assert whole.model.config.symmetries == ("mirror",)
    run, training = start("gan", data, width=4, settings=Settings(steps=4), out=tmp_path / "half")
    for _ in range(2):
        next(training)
    plausible.save(run, training)
    rest = resume(tmp_path / "half", watch=False)
    expected = whole.model.state_dict()
    assert all(
        torch.equal(value, expected[name]) for name, value in rest.model.state_dict().items()
    )
