"""Copies of training data and of held-out data, over small changes, and samples that repeat one another."""

import math

import pytest
import torch
from evaluation_points import evalset, result

from plausible.core.space import Space
from plausible.evaluation.likeness import (
    intrinsic_dimension,
    likeness,
    nearest_alike,
    spectrum,
    stands_out,
    views,
)
from plausible.evaluation.metrics.memorisation import (
    likeliest_copies,
    memorisation,
    with_train_distances,
)
from plausible.evaluation.metrics.neighbours import nearest
from plausible.evaluation.permutation import observed, p_value, permuted
from plausible.evaluation.saved_again import saved_again
from plausible.evaluation.verdict.copies import copies, heldout_copies
from plausible.evaluation.verdict.defect import NullSummary
from plausible.evaluation.verdict.duplicates import duplicates
from plausible.evaluation.verdict.verdict import State, run_tests

pytestmark = pytest.mark.slow

SPACE = Space((1, 20, 20), 256)


def draw(n, seed, d=8):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def blobs(n, seed, side=20):
    """Three smooth blobs and a little noise, an image each."""
    generator = torch.Generator().manual_seed(seed)
    place = torch.arange(side).float()
    x = torch.zeros(n, side, side)
    for _ in range(3):
        centre = 3 + (side - 6) * torch.rand(2, n, 1, 1, generator=generator)
        width = 2 + 3 * torch.rand(n, 1, 1, generator=generator)
        square = (place[:, None] - centre[0]).square() + (place - centre[1]).square()
        x += 0.25 * (-square / (2 * width.square())).exp()
    noise = 0.03 * torch.randn(x.shape, generator=generator)
    return SPACE.quantise((x + 0.1 + noise)[:, None])


def effect(test, found):
    return test(found).statistic(observed(len(found.samples))).item()


def p(test, found, draws=199):
    statistic = test(found).statistic
    n, generator = len(found.samples), torch.Generator().manual_seed(0)
    return p_value(statistic(observed(n)).item(), statistic(permuted(n, draws, generator)))


def test_near_copies_are_counted_and_held_out_data_are_not():
    train, real, samples = draw(300, 4), draw(200, 5), draw(200, 6)
    samples[:20] = train[:20] + 1e-3
    found = evalset(train, real, samples)
    assert effect(copies, found) == pytest.approx(0.1, abs=0.011)
    assert p(copies, found, 499) == 0.002


def test_a_crowd_of_equal_samples_is_no_copy_unless_it_sits_on_a_training_example():
    train, real, point = draw(300, 7), draw(100, 8), draw(1, 9)
    away = evalset(train, real, point.expand(100, -1).clone())
    assert -0.03 < effect(copies, away) <= 0  # only held-out data lie near T by chance
    on_top = evalset(train, real, train[:1].expand(100, -1).clone())
    assert effect(copies, on_top) == pytest.approx(1, abs=0.03)


def test_too_narrow_samples_are_neither_copies_nor_duplicates():
    found = evalset(draw(400, 10), draw(400, 11), 0.7 * draw(400, 12))
    assert p(copies, found) > 0.05
    assert p(heldout_copies, found) > 0.05
    assert effect(duplicates, found) < 0.03


def test_the_spectrum_is_blind_to_mirrors_shifts_and_light_and_to_nothing_else():
    x = blobs(40, 0)
    seen = spectrum(x)
    for changed in (x.flip(3), x.flip(2), torch.roll(x, (2, 1), (2, 3)), 0.8 * x, x + 0.1):
        assert torch.allclose(spectrum(changed), seen, atol=1e-5)
    assert seen.shape == (40, 45)
    assert torch.pdist(seen).min() > 0.05
    assert spectrum(x[:0]).shape == (0, 45)
    assert spectrum(torch.full((2, 3, 4, 9), 0.5)).abs().max() < 1e-3  # a constant image has none


CHANGES = {
    "mirrored": lambda x: x.flip(3),
    "upside down": lambda x: x.flip(2),
    "moved by a pixel": lambda x: torch.roll(x, 1, 3),
    "moved by two": lambda x: torch.roll(x, (2, -2), (2, 3)),
    "darker": lambda x: 0.8 * x,
    "brighter": lambda x: x + 0.08,
    "noisier": lambda x: (
        x + 0.02 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    ),
    "mirrored and moved": lambda x: torch.roll(x.flip(3), 1, 2),
    "saved as JPEG": saved_again,
}


@pytest.mark.parametrize("name", CHANGES)
def test_copies_are_found_over_small_changes(name):
    train, real, samples = blobs(300, 1), blobs(200, 2), blobs(200, 3)
    samples[:60] = SPACE.quantise(CHANGES[name](train[:60]))
    found = with_train_distances(evalset(train, real, samples, space=SPACE))
    assert effect(copies, found) == pytest.approx(0.3, abs=0.06)
    assert p(copies, found) == 1 / 200
    near = memorisation(found)[1]
    assert near.value == pytest.approx(0.3, abs=0.06)  # the measures say the same
    assert near.p < 1e-6
    assert set(likeliest_copies(found, 30)[0].tolist()) <= set(range(60))


def test_samples_that_are_held_out_data_pass_nothing():
    train, heldout = blobs(600, 1), blobs(300, 2)
    shuffled = heldout[torch.randperm(300, generator=torch.Generator().manual_seed(0))]
    found = evalset(train, heldout, shuffled[:200], space=SPACE)
    verdict = run_tests(found)
    assert all(result.state is not State.PASS for result in verdict.results)
    assert verdict.state is State.FAIL
    seen = next(result for result in verdict.results if result.name == "held-out copies")
    assert seen.effect == pytest.approx(1, abs=0.01)  # though only 200 of the 300 are compared
    assert "100% of the samples are held-out items" in seen.sentence
    voided = [result.sentence for result in verdict.results if "says nothing" in result.sentence]
    assert len(voided) >= 3


def test_some_mirrored_held_out_data_among_the_samples_are_seen():
    train, heldout, samples = blobs(600, 1), blobs(300, 2), blobs(300, 3)
    samples[:60] = heldout[:60].flip(3)
    found = evalset(train, heldout, samples, space=SPACE)
    assert effect(heldout_copies, found) == pytest.approx(0.2, abs=0.02)
    assert result("held-out copies", found).state is State.FAIL
    assert p(copies, found) > 0.05


def test_duplicates_are_samples_that_repeat_one_another():
    train, real, samples = draw(800, 1), draw(400, 2), draw(400, 3)
    crowd = samples.clone()
    crowd[:20] = crowd[0]  # one sample is 5% of all
    assert effect(duplicates, evalset(train, real, crowd)) == pytest.approx(0.05)
    assert result("duplicates", evalset(train, real, crowd)).state is State.FAIL
    twice = samples[:200].repeat(2, 1) + 1e-3 * draw(400, 4)
    assert effect(duplicates, evalset(train, real, twice)) == pytest.approx(1, abs=0.01)
    assert effect(duplicates, evalset(train, real, samples)) == pytest.approx(0, abs=0.02)
    # a crowd on a training example is a copy
    crowd[:20] = train[0]
    assert effect(duplicates, evalset(train, real, crowd)) == pytest.approx(0, abs=0.02)
    assert effect(copies, evalset(train, real, crowd)) == pytest.approx(0.05, abs=0.011)


@pytest.mark.parametrize("kind", ["few values", "every item twice", "images twice"])
def test_data_that_repeat_themselves_are_no_defect(kind):
    """P-values of real halves are uniform or larger, whatever the ties."""
    small = {copies: 0, heldout_copies: 0, duplicates: 0}
    n, space = (200, Space((1, 12, 12), 256)) if kind == "images twice" else (400, None)
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        if kind == "few values":
            pool = torch.randint(4, (400, 3), generator=generator).float()
        elif kind == "every item twice":
            pool = torch.randn(200, 4, generator=generator).repeat(2, 1)
        else:
            pool = blobs(n // 2, seed, side=12).repeat(2, 1, 1, 1)
        pool = pool[torch.randperm(n, generator=generator)]
        found = evalset(*pool.split([n // 2, n // 4, n // 4]), space=space)
        for test in small:
            small[test] += p(test, found, 99) <= 0.05
    assert max(small.values()) <= 4  # of 20 at 5%: 5 or more happen to one test in 400


def test_samples_that_repeat_one_another_under_noise_are_duplicates_and_too_narrow_ones_are_none():
    train, real, samples = blobs(500, 1), blobs(300, 2), blobs(300, 3)
    noise = 4 / 255 * torch.randn(60, *SPACE.shape, generator=torch.Generator().manual_seed(0))
    samples[:60] = SPACE.quantise(samples[:1] + noise)
    assert effect(duplicates, evalset(train, real, samples, space=SPACE)) == pytest.approx(
        0.2, abs=0.03
    )
    narrow = blobs(300, 4)
    narrow = SPACE.quantise(narrow.mean(0) + 0.7 * (narrow - narrow.mean(0)))
    assert effect(duplicates, evalset(train, real, narrow, space=SPACE)) < 0.03


def test_the_threshold_stands_where_copies_stand_out_most():
    natural = torch.linspace(0, 1, 1001)  # a share t lies below t
    assert stands_out(natural, torch.zeros(5)) == pytest.approx(0.01)  # exact copies alone
    changed = torch.full((5,), 0.195)
    # all copies lie below 0.2 and up, half of them below any: where the gain over natural ones in their error is largest
    best = max(
        range(1, 51), key=lambda t: ((1 if t > 19 else 0.5) - t / 100) / math.sqrt(t / 100 + 0.001)
    )
    assert stands_out(natural, changed) == pytest.approx(best / 100)
    assert stands_out(torch.ones(100), changed) == pytest.approx(0.5)  # nothing natural is near


def test_images_saved_again_are_nearly_the_same_and_not_quite():
    generator = torch.Generator().manual_seed(0)
    for channels in (1, 2, 3, 4):
        x = torch.rand(3, channels, 12, 9, generator=generator)
        again = saved_again(x)
        assert again.shape == x.shape
        assert 0 < (again - x).abs().mean() < 0.2
        assert torch.equal(again, saved_again(x))
    smooth = torch.linspace(0, 1, 16).expand(1, 3, 16, 16)
    assert (saved_again(smooth) - smooth).abs().max() < 0.02
    assert saved_again(x[:0]).shape == (0, 4, 12, 9)


def test_few_real_examples_lie_within_the_thresholds():
    """Hardly a real example is nearer to T, or to H, than the threshold, on average."""
    rates = []
    for seed in range(12):
        found = evalset(draw(600, seed, 3), draw(300, seed + 50, 3), draw(300, seed + 90, 3))
        like, both = likeness(found), [views(found.samples), views(found.heldout)]
        to_train = nearest_alike(both[0], views(found.train), 1, like.scales)[0][:, 0]
        to_held = nearest_alike(*both, 1, like.scales)[0][:, 0]
        copied = (to_train < like.copied * to_held).float().mean().item()
        rates.append((copied, (to_held < like.seen * to_train).float().mean().item()))
    for rate in torch.tensor(rates).mean(0).tolist():
        assert rate < 0.01
    assert like.scales[0] == pytest.approx(found.train.raw[0].new_tensor(like.scales).item())
    assert math.isfinite(copies(found).detectable(NullSummary(0.0, 0.0, 0.0, 300, 300, 0.01, 0.8)))


def test_the_dimension_of_a_subspace():
    generator = torch.Generator().manual_seed(0)
    for d in (2, 6):
        flat = torch.randn(3000, d, generator=generator) @ torch.randn(d, 20, generator=generator)
        two_nearest = nearest(flat, flat, 3)[0][:, 1:]  # itself is the first
        assert intrinsic_dimension(two_nearest) == pytest.approx(d, rel=0.15)
    assert intrinsic_dimension(torch.zeros(5, 2)) == 1
