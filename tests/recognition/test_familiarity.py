"""What is near to nothing that was learned from is told, whatever its probability, and kept in a run."""

import math
from dataclasses import replace

import pytest
import torch
from tests.conftest import make_data

import plausible
from plausible import Recogniser, Settings, Space, train
from plausible.core.errors import UsageError
from plausible.models import NaiveBayes
from plausible.recognition.calibration_set import CalibrationSet, calibrate
from plausible.recognition.conformal import full_conformal
from plausible.recognition.familiarity import Familiarity, familiarity
from plausible.recognition.novelty import NoveltyInput, novelties
from plausible.recognition.patches import patch_features
from plausible.recognition.roc import auroc
from plausible.recognition.tails import tail_surprisal


@pytest.fixture(scope="module")
def digits():
    return plausible.load("digits")


@pytest.fixture(scope="module")
def near(digits):
    return familiarity(digits.train)


def learned(model, data):
    training = train(model, data, Settings())
    list(training)
    return training.averaged


def pictures(n=60, shape=(1, 8, 8), classes=0):
    """Data of random images."""
    return make_data(Space(shape, 17, classes), n)


@pytest.mark.parametrize("aspect", [0, 1, 2])
def test_each_distance_tells_turned_and_moved_digits_from_digits(digits, near, aspect):
    x = digits.heldout.as_batch().x[:150]
    usual = near(x)[:, aspect]
    for other in (x.rot90(1, (2, 3)), x.roll((4, 4), (2, 3)), torch.rand(x.shape)):
        assert auroc(usual, near(other)[:, aspect]) > 0.95


def test_without_labels_groups_stand_in_for_classes(digits, near):
    alone = replace(digits.train, y=None)
    found = familiarity(alone)
    assert len(found.means) == 10
    x = digits.heldout.as_batch().x[:100]
    turned = x.rot90(1, (2, 3))
    for column in found(x).T, found(turned).T:
        assert column.isfinite().all()
    assert auroc(found(x)[:, 2], found(turned)[:, 2]) > 0.95
    assert not torch.allclose(found(x), near(x))


def test_it_is_the_same_each_time_and_of_each_image_alone(digits, near):
    x = digits.heldout.as_batch().x[:20]
    assert torch.equal(familiarity(digits.train)(x), near(x))
    alone = torch.cat([near(one[None]) for one in x])
    assert torch.allclose(alone, near(x), rtol=1e-3, atol=1e-3)
    assert near(x[:0]).shape == (0, 3)


def test_what_is_kept_gives_the_same_distances(digits, near):
    again = Familiarity.of(near.tensors())
    x = digits.heldout.as_batch().x[:20]
    assert torch.equal(again(x), near(x))
    assert Familiarity.of({"filters": near.filters}) is None


@pytest.mark.parametrize("shape", [(3, 8, 12), (4, 40, 33), (1, 16, 16)])
def test_images_of_any_shape_have_distances(shape):
    data = pictures(12, shape, 2)
    found = familiarity(data.train)(data.heldout.as_batch().x)
    assert found.shape == (len(data.heldout), 3)
    assert found.isfinite().all()


def test_images_that_are_all_alike_and_vectors_have_none_that_break():
    data = pictures()
    flat = replace(data.train, values=torch.zeros_like(data.train.values))
    found = familiarity(flat)
    assert found(flat.as_batch().x).isfinite().all()
    assert found(torch.ones(2, 1, 8, 8))[:, 0].min() > found(torch.zeros(2, 1, 8, 8))[:, 0].max()
    assert familiarity(make_data(Space((2,)), 30).train) is None
    assert familiarity(pictures(shape=(1, 4, 4)).train) is None


def test_patches_see_shapes_and_not_contrast():
    x = torch.rand(40, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    look = patch_features(x)
    assert look.filters.shape == (16, 1, 6, 6)
    assert look.filters.mean((1, 2, 3)).abs().max() < 1e-5
    pooled = [look(0.5 + scale * (x - 0.5))[:, : 32 * 16] for scale in (1.0, 0.8)]
    assert torch.allclose(*pooled, atol=0.15)
    assert look(x.flip(3))[:, : 32 * 16].sub(pooled[0]).abs().max() > 0.15


def test_a_surprise_is_counted_among_the_usual_and_goes_on_beyond_them():
    usual = torch.arange(1.0, 100)  # 99 values
    said = tail_surprisal(torch.tensor([-math.inf, 1.0, 50.0, 80.0]), usual)
    shares = [1.0, 1.0, 51 / 100, 21 / 100]
    assert said.tolist() == pytest.approx([-math.log(p) for p in shares])
    beyond = tail_surprisal(torch.tensor([95.0, 99.0, 200.0, 1e30, math.inf, math.nan]), usual)
    assert (beyond.diff()[:4] > 0).all()
    assert beyond[-1] == beyond[-2] == math.inf
    exponential = -torch.rand(20_000, generator=torch.Generator().manual_seed(0)).double().log()
    far = tail_surprisal(torch.tensor([4.0, 8.0, 16.0]), exponential)
    assert far.tolist() == pytest.approx([4, 8, 16], rel=0.06)


def test_one_odd_value_among_few_does_not_hide_itself():
    usual = torch.tensor([0.0, 1, 2, 3, 4, 5, 6, 1e9])
    assert tail_surprisal(torch.tensor([1e9]), usual) > 1e6
    assert tail_surprisal(torch.tensor([2.0]), torch.ones(1)) > 0
    assert tail_surprisal(torch.tensor([1.0]), torch.ones(3)).isfinite().all()


def inputs(n, generator):
    """What is known of n inputs of one kind, whose aspects depend on each other."""
    shared = torch.randn(n, generator=generator).double()

    def own():
        return shared + torch.randn(n, generator=generator).double()

    return NoveltyInput(own(), own(), distances=torch.stack([own().exp(), own(), shared], 1))


@pytest.mark.parametrize("n", [4, 19, 60])
def test_combined_refuses_good_inputs_no_more_often_than_it_says(n):
    """Whatever its aspects have to do with each other: the input is one of those that say what is usual."""
    generator, level = torch.Generator().manual_seed(n), 1 / 5
    shares = torch.stack([
        (full_conformal(novelties["combined"], inputs(n, generator), inputs(6, generator)) <= level).double().mean()
        for _ in range(80)
    ])  # fmt: skip
    exact = math.floor(level * (n + 1) + 1e-9) / (n + 1)
    assert shares.mean().item() == pytest.approx(exact, abs=4 * shares.std().item() / 80**0.5)


@pytest.mark.parametrize("n", [7, 40])
@pytest.mark.parametrize("aspect", ["log_prob", "code_length", "distances"])
def test_what_is_far_in_one_aspect_alone_has_the_smallest_p_value_there_is(aspect, n):
    generator = torch.Generator().manual_seed(3)
    usual, few = inputs(n, generator), inputs(4, generator)
    far = torch.tensor([1e4, 1e9, 1e30, 1e12]).double()
    far = {
        "log_prob": -far,
        "code_length": -far,
        "distances": torch.stack([far, *few.distances.T[1:]], 1),
    }[aspect]
    p = full_conformal(novelties["combined"], usual, replace(few, **{aspect: far}))
    assert p.tolist() == [1 / (n + 1)] * 4


def test_it_is_the_default_of_images_and_comes_back_from_the_file(digits, tmp_path):
    model = learned(NaiveBayes(digits.space), digits)
    asked = Recogniser(model, digits)
    assert asked.novelty == "combined"
    turned = replace(digits.heldout, values=digits.heldout.values[:100].rot90(1, (2, 3)), y=None)
    assert (asked.p_values(asked.outputs(turned)) < 0.05).double().mean() > 0.9
    good = asked.p_values(asked.outputs(digits.heldout))
    assert (good <= 0.05).double().mean() < 0.1
    path = tmp_path / "kept.safetensors"
    path.write_bytes(asked.calibration.pack({}))
    again = Recogniser(model, CalibrationSet.unpack(path, {}))
    assert torch.equal(again.p_values(again.outputs(digits.heldout)), good)
    assert len(path.read_bytes()) < 5e6


def test_what_an_older_version_kept_answers_by_what_it_has(digits):
    model = learned(NaiveBayes(digits.space), digits)
    new = calibrate(model, digits)
    old = replace(new, familiarity=None, validation=replace(new.validation, distances=None))
    asked = Recogniser(model, old)
    assert asked.novelty == "either"
    assert len(asked.p_values(asked.outputs(digits.heldout.rows(slice(0, 3))))) == 3
    with pytest.raises(UsageError, match="--novelty combined needs distances"):
        Recogniser(model, old, novelty="combined")


def test_vectors_and_the_smallest_images_have_no_combined_score():
    data = pictures(shape=(1, 4, 4), classes=2)
    model = learned(NaiveBayes(data.space), data)
    assert Recogniser(model, data).novelty == "either"
    with pytest.raises(UsageError, match="at least 8 pixels a side"):
        Recogniser(model, data, novelty="combined")
    with pytest.raises(UsageError, match="distances from the training part"):
        novelties["combined"](NoveltyInput(torch.zeros(2)))
