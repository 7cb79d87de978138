"""Copies, and what is told apart from them."""

import math
from dataclasses import replace
from importlib import import_module

import pytest
import torch
from evaluation_points import evalset

from plausible.core.errors import NotDefined
from plausible.evaluation.likeness import likeness
from plausible.evaluation.metrics.memorisation import (
    likeliest_copies,
    likest_train,
    memorisation,
    nearest_train,
    with_train_distances,
)


def draw(n, seed, d=8):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def copied_fraction(found):
    return memorisation(found)[0]


def near_duplicates(found):
    return memorisation(found)[1]


def test_independent_samples_copy_nothing_on_average():
    """E c = 0, and its p-value is uniform: the label of the neighbour is T with |T| / (|T| + |H|)."""
    found = [
        copied_fraction(evalset(draw(150, s), draw(100, s + 50), draw(80, s + 90)))
        for s in range(40)
    ]
    values = torch.tensor([m.value for m in found])
    assert values.mean().item() == pytest.approx(0, abs=4 * values.std().item() / 40**0.5)
    assert sum(m.stderr for m in found) / 40 == pytest.approx(values.std().item(), rel=0.4)
    assert sum(m.p <= 0.1 for m in found) <= 10


@pytest.mark.slow
def test_ties_prefer_neither_side(monkeypatch):
    """On a coarse grid nearly every nearest distance is shared by T and H."""
    monkeypatch.setattr(import_module(memorisation.__module__), "_DRAWS", 199)
    ps = []
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        train, real, samples = (
            torch.randint(6, (n, 3), generator=generator).float() for n in (200, 50, 50)
        )
        ps.append(memorisation(evalset(train, real, samples))[0].p)
    assert sum(p <= 0.1 for p in ps) <= 10


def test_a_copied_fraction_is_found():
    train, real, samples = draw(400, 1), draw(400, 2), draw(400, 3)
    samples[:160] = train[:160]
    found = copied_fraction(evalset(train, real, samples))
    assert found.value == pytest.approx(0.4, abs=4 * found.stderr)
    assert found.p < 0.01
    whole = copied_fraction(evalset(train, real, train.clone()))
    assert whole.value == 1


def test_near_duplicates_have_an_exact_p_value():
    """20 samples repeat 20 of T; under shuffling all 20 lie in T with about (300 / 500)^20."""
    train, real, samples = draw(300, 4), draw(200, 5), draw(200, 6)
    samples[:20] = train[:20] + 1e-3
    found = near_duplicates(evalset(train, real, samples))
    assert found.value == pytest.approx(0.1, abs=0.01)
    chance = math.prod((300 - i) / (500 - i) for i in range(20))
    assert found.p <= chance * 1.01
    # repeating both T and H is no sign of copying T
    samples[20:40] = real[:20] + 1e-3
    assert near_duplicates(evalset(train, real, samples)).p > 0.05
    # a thousand copies of one example are one coincidence
    crowd = evalset(train, real, train[:1].repeat(200, 1) + 1e-3)
    assert near_duplicates(crowd).p == pytest.approx(0.6)


def test_too_narrow_samples_are_not_mistaken_for_copies():
    found = evalset(draw(400, 10), draw(400, 11), 0.7 * draw(400, 12))
    assert copied_fraction(found).p > 0.05


def test_no_share_of_copies_is_named_where_samples_are_held_out_data():
    train, real = draw(400, 1), draw(200, 2)
    found = copied_fraction(evalset(train, real, real.clone()))
    assert found.value is None
    assert "0.0% of the samples are nearer to training data, 66.7% expected" in found.note
    assert "knows the held-out data" in found.note


def test_what_is_measured_once_is_what_would_be_measured_again():
    plain = evalset(draw(60, 1), draw(30, 2), draw(30, 3))
    known = with_train_distances(plain)
    assert known.samples.nearest_train is not None
    assert known.likeness == likeness(plain)
    for view in ("samples", "heldout"):
        few, some = getattr(known, view)[5:20], getattr(plain, view)[5:20]
        pairs = zip(likest_train(few, known), likest_train(some, plain), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
        for a, b in zip(
            nearest_train(getattr(known, view)[5:20], known.train),
            nearest_train(getattr(plain, view)[5:20], plain.train),
            strict=True,
        ):
            assert torch.equal(a, b)
    with pytest.raises(NotDefined, match="too few"):
        memorisation(replace(plain, train=plain.train[0:2]))


def test_the_samples_most_like_copies_come_first():
    train, real, samples = draw(50, 1), draw(50, 2), draw(40, 3)
    samples[7], samples[9] = train[31], train[4] + 1e-4
    rows, of_train, _ = likeliest_copies(evalset(train, real, samples), 2)
    assert rows.tolist() == [7, 9]
    assert of_train.tolist() == [31, 4]
