"""Birthdays, spectra, spacing and repetitions against closed forms."""

import math

import pytest
import torch
from evaluation_points import evalset as points

from plausible.core.errors import NotDefined, UsageError
from plausible.core.likelihood import Kind
from plausible.evaluation.metrics.diversity import (
    duplicate_share,
    duplicates,
    neighbour_distance,
    support,
    support_size,
    vendi,
    vendi_score,
)


def evalset(samples, heldout, train=None):
    return points(heldout if train is None else train, heldout, samples)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_support_is_found_again_in_its_interval():
    generator = torch.Generator().manual_seed(0)
    hits = 0
    for _ in range(200):
        counts = torch.randint(500, (200,), generator=generator).bincount()
        size = support_size(int((counts * (counts - 1)).sum()) // 2, 200)
        assert size.low < size.value < size.high
        hits += size.low < 500 < size.high
    assert 0.91 < hits / 200 <= 1


def test_support_sizes_in_closed_form():
    assert support_size(10, 5) == pytest.approx((1, 1, 2.0854), rel=1e-4)  # Garwood: 4.7954
    assert support_size(0, 100) == (None, pytest.approx(4950 / math.log(20)), math.inf)
    with pytest.raises(NotDefined, match="2 draws"):
        support_size(0, 1)
    with pytest.raises(UsageError, match="at most 10 equal pairs"):
        support_size(11, 5)


def test_the_vendi_score_of_groups_is_their_number():
    assert vendi(torch.eye(6).repeat(5, 1)) == pytest.approx(6)
    assert vendi(torch.eye(6)[:4]) == pytest.approx(4)  # fewer rows than dimensions
    assert vendi(torch.ones(9, 3)) == pytest.approx(1)
    assert vendi(torch.zeros(9, 3)) == pytest.approx(1)
    assert vendi(torch.cat([torch.zeros(5, 2), torch.eye(2)[[0] * 5] * 1e-30])) == pytest.approx(2)


def test_the_vendi_score_is_the_same_through_either_matrix():
    features = normal(40, 30)
    gram = torch.nn.functional.normalize(features.double(), dim=1)
    values = torch.linalg.eigvalsh(gram @ gram.T / 40).clamp(min=1e-300)
    assert vendi(features) == pytest.approx((-values * values.log()).sum().exp().item(), rel=1e-9)


def test_duplicates_are_counted_exactly():
    rows = torch.tensor([[1.0, 0], [2, 3], [1, -0.0], [2, 3], [2, 3], [3, 2], [0, 1]])
    assert duplicates(rows).tolist() == [2, 3, 2, 3, 3, 1, 1]
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(3, (2000, 1, 2, 3), generator=generator).to(torch.uint8)
    _, inverse, counts = codes.unique(dim=0, return_inverse=True, return_counts=True)
    assert torch.equal(duplicates(codes), counts[inverse])
    assert duplicates(codes.bool())[0] > 1
    assert duplicates(normal(3, 4).double()).tolist() == [1, 1, 1]


def test_a_sampler_of_few_points_is_caught():
    heldout, train = normal(400, 8), normal(400, 8, seed=1)
    few = normal(50, 8, seed=2)
    chosen = torch.randint(50, (400,), generator=torch.Generator().manual_seed(3))
    jittered = few[chosen] + normal(400, 8, seed=4) * 1e-3
    found = support(evalset(jittered, heldout, train))
    assert found.interval[0] < 50 < found.interval[1] or found.value == pytest.approx(50, rel=0.1)
    fresh = support(evalset(normal(400, 8, seed=5), heldout, train))
    assert fresh.value > 1000
    assert neighbour_distance(evalset(jittered, heldout)).value < 0.1
    assert vendi_score(evalset(few[chosen[:50] % 3].repeat(8, 1), heldout)).value < 3.01
    assert duplicate_share(evalset(few[chosen], heldout)).value > 0.99
    assert duplicate_share(evalset(jittered, heldout)).value == 0
    assert duplicate_share(evalset(jittered, heldout)).interval == (
        0,
        pytest.approx(0.015, rel=0.01),
    )


def test_without_pairs_there_is_a_lower_bound():
    spread = torch.arange(40.0)[:, None] * 100
    found = support(evalset(spread, normal(40, 1), normal(40, 1, seed=1)))
    assert found.kind is Kind.LOWER
    assert found.value == pytest.approx(780 / math.log(20))
    assert "0 pairs" in found.note


@pytest.mark.parametrize("scale", [0.7, 1.0])
def test_the_distance_between_neighbours_scales_and_its_error_covers(scale):
    pairs = [(normal(150, 5, seed=i) * scale, normal(150, 5, seed=99 + i)) for i in range(15)]
    found = [neighbour_distance(evalset(*pair)) for pair in pairs]
    values = torch.tensor([m.value for m in found])
    assert values.mean().item() == pytest.approx(scale, abs=0.02)
    assert 0.6 < sum(m.stderr for m in found) / 15 / values.std().item() < 2.5


@pytest.mark.parametrize(
    ("measure", "values", "too_long"), [(vendi_score, 30, 1.7), (duplicate_share, 600, 2.2)]
)
def test_the_errors_of_the_vendi_score_and_the_duplicates_cover(measure, values, too_long):
    found = []
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        x = torch.eye(values)[torch.randint(values, (60,), generator=generator)]
        found.append(measure(evalset(x, x)))
    spread = torch.tensor([m.value for m in found]).std().item()
    claimed = sum(m.stderr or 0 for m in found) / 40
    assert 0.7 < claimed / spread < too_long


@pytest.mark.parametrize("measure", [support, neighbour_distance, vendi_score, duplicate_share])
@pytest.mark.parametrize(
    ("samples", "heldout"),
    [
        (torch.ones(30, 3), normal(30, 3)),
        (normal(2, 3), normal(2, 3, seed=1)),
        (torch.zeros(2, 3), torch.zeros(2, 3)),
        (torch.zeros(25, 3), torch.zeros(25, 3)),
        (normal(25, 3), torch.zeros(25, 3)),
        (normal(1, 3), normal(1, 3)),
    ],
)
def test_degenerate_sets_give_finite_numbers_or_are_refused(measure, samples, heldout):
    try:
        found = measure(evalset(samples, heldout))
    except NotDefined:
        return
    assert found.value is not None
    assert math.isfinite(found.value)
    assert found.stderr is None or found.stderr >= 0


def test_all_the_same_is_one_thing():
    same = evalset(torch.ones(30, 3), normal(30, 3))
    assert support(same).value == 1
    assert vendi_score(same).value == pytest.approx(1)
    assert duplicate_share(same).value == 1
    assert neighbour_distance(same).value == 0
    with pytest.raises(NotDefined, match="exact copy"):
        neighbour_distance(evalset(normal(30, 3), torch.ones(30, 3)))
