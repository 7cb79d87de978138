import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plausible.core.errors import UsageError
from plausible.core.space import Batch, Space


@given(levels=st.integers(2, 256))
def test_codes_and_decode_are_inverse_on_every_level(levels):
    space = Space((1, 1, levels), levels=levels)
    codes = torch.arange(levels, dtype=torch.uint8).view(1, 1, 1, levels)
    assert torch.equal(space.codes(space.decode(codes)), codes)
    assert torch.equal(space.quantise(space.decode(codes)), space.decode(codes))


def test_quantise_takes_the_nearest_level_and_stays_inside():
    space = Space((4,), levels=3)
    x = torch.tensor([[-0.4, 0.2, 0.3, 7.0]])
    assert space.quantise(x).tolist() == [[0.0, 0.0, 0.5, 1.0]]
    assert Space((4,)).quantise(x) is x


def test_enumerate_lists_every_point_once_in_counting_order():
    points = Space((1, 2, 2), levels=2).enumerate()
    assert points.shape == (16, 1, 2, 2)
    assert len(points.flatten(1).unique(dim=0)) == 16
    assert points[6].flatten().tolist() == [0, 1, 1, 0]
    with pytest.raises(UsageError, match="2\\^20"):
        Space((1, 5, 5), levels=2).enumerate()


@pytest.mark.parametrize("wrong", [{"shape": ()}, {"shape": (0,)}, {"shape": (2,), "levels": 1}])
def test_impossible_spaces_are_refused(wrong):
    with pytest.raises(UsageError):
        Space(**wrong)


def test_a_space_survives_json():
    space = Space((3, 8, 9), levels=17, classes=4)
    assert Space.from_dict(space.to_dict()) == space


def test_a_batch_is_cut_with_its_labels():
    batch = Batch(torch.arange(6.0).view(3, 2), torch.tensor([5, 6, 7]))
    part = batch[1:]
    assert len(part) == 2
    assert part.y is not None
    assert part.y.tolist() == [6, 7]
