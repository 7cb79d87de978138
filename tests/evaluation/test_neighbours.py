"""Neighbours against brute force; precision, recall, density, coverage against prdc and theory."""

import math

import pytest
import torch
from evaluation_points import evalset as points

from plausible.core.errors import NotDefined, UsageError
from plausible.evaluation.metrics.neighbours import (
    PRDC,
    distance_blocks,
    nearest,
    neighbourhoods,
    prdc,
)


def evalset(samples, heldout, train=None):
    return points(heldout if train is None else train, heldout, samples)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def measured(*sets):
    return {m.name: m for m in neighbourhoods(evalset(*sets))}


@pytest.mark.parametrize("side", [1, -1])
def test_blocks_cover_every_pair_once_and_bound_the_truth(side):
    a, b = normal(37, 4) + 100, normal(23, 4, seed=1) + 100
    found = torch.full((37, 23), math.nan, dtype=torch.float64)
    for rows, columns, block in distance_blocks(a, b, side=side, entries=50):
        assert found[rows, columns].isnan().all()
        found[rows, columns] = block
    truth = (a.double()[:, None] - b.double()).square().sum(2)
    assert ((found - truth) * side >= 0).all()
    assert torch.allclose(found, truth)


@pytest.mark.parametrize("entries", [30, 2**21])
@pytest.mark.parametrize("exclude_self", [False, True])
def test_the_nearest_are_those_of_brute_force(entries, exclude_self, monkeypatch):
    monkeypatch.setattr("plausible.evaluation.metrics.neighbours._COLUMNS", 17)
    a = normal(60, 5)
    b = a if exclude_self else normal(41, 5, seed=1)
    truth = (a.double()[:, None] - b.double()).norm(dim=2)
    if exclude_self:
        truth.fill_diagonal_(math.inf)
    expected = truth.sort(1)
    distances, index = nearest(a, b, 4, exclude_self=exclude_self, entries=entries)
    assert torch.allclose(distances, expected.values[:, :4])
    assert torch.equal(index, expected.indices[:, :4])


def test_copies_far_from_the_origin_are_at_distance_zero_exactly():
    b = normal(300, 8) + 1e4
    a = b[torch.arange(0, 300, 7)]
    distances, index = nearest(a, b, 1)
    assert (distances == 0).all()
    assert index[:, 0].tolist() == list(range(0, 300, 7))


def test_equal_distances_stand_in_the_order_of_their_indices():
    distances, index = nearest(torch.zeros(2, 1), torch.ones(6, 1), 3)
    assert index.tolist() == [[0, 1, 2]] * 2
    assert distances.tolist() == [[1.0] * 3] * 2


def test_impossible_requests_are_refused():
    x = normal(4, 2)
    with pytest.raises(NotDefined, match="there are 3"):
        nearest(x, x, 4, exclude_self=True)
    with pytest.raises(UsageError, match="no distance"):
        nearest(x, normal(4, 3), 1)
    with pytest.raises(UsageError, match="not 0"):
        nearest(x, x, 0)
    with pytest.raises(NotDefined, match="NaN"):
        nearest(x, x * math.nan, 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("n", "m", "d", "k"), [(300, 400, 8, 5), (500, 200, 64, 3), (50, 50, 2, 1)]
)
def test_they_agree_with_the_package_prdc(dtype, n, m, d, k, capsys):
    package = pytest.importorskip("prdc")
    real, fake = normal(n, d).to(dtype), (normal(m, d, seed=1) * 0.9 + 0.2).to(dtype)
    theirs = package.compute_prdc(real.numpy(), fake.numpy(), k)
    assert prdc(real, fake, k)._asdict() == pytest.approx(theirs, abs=1e-6)


def test_a_copy_of_the_data_scores_one_and_ties_lie_outside():
    x = normal(200, 6)
    assert prdc(x, x).recall == prdc(x, x).precision == prdc(x, x).coverage == 1
    # a ball holds its own point and the k - 1 nearest; the k-th, on its edge, is outside
    assert prdc(x, x, 5).density == pytest.approx(1, abs=1e-12)


def test_samples_of_the_same_distribution_score_what_theory_says():
    values = [prdc(normal(400, 6, seed=2 * i), normal(400, 6, seed=2 * i + 1)) for i in range(12)]
    mean = PRDC(*torch.tensor(values).mean(0).tolist())
    assert mean.density == pytest.approx(1, abs=0.06)
    # 1 - prod_{i=1..k} (n - i) / (m + n - i): that the k nearest of all others to a real are not all real
    coverage = 1 - math.prod((400 - i) / (800 - i) for i in range(1, 6))
    assert mean.coverage == pytest.approx(coverage, abs=0.008)


def test_a_cluster_wins_precision_and_noise_wins_recall():
    real = torch.cat([normal(200, 4), normal(200, 4, seed=1) + 20])
    one_mode = measured(normal(400, 4, seed=2) * 0.5, real)
    assert one_mode["precision"].value > 0.98
    assert one_mode["density"].value > 1
    assert one_mode["recall"].value < 0.5
    assert one_mode["coverage"].value < 0.5
    assert "missing modes" in one_mode["precision"].note
    noise = torch.rand(400, 4, generator=torch.Generator().manual_seed(3)) * 40 - 10
    # noise everywhere has every real in one of its wide balls: recall alone is no headline either
    assert measured(noise, real)["recall"].value > 0.9
    assert measured(noise, real)["precision"].value < 0.1


def test_the_errors_cover_the_spread_over_draws():
    runs = [measured(normal(150, 4, seed=i), normal(150, 4, seed=99 + i) + 0.5) for i in range(15)]
    for name in PRDC._fields:
        spread = torch.tensor([run[name].value for run in runs]).std().item()
        claimed = sum(run[name].stderr for run in runs) / len(runs)
        assert 0.6 * spread < claimed < 3.5 * spread, name


@pytest.mark.parametrize(
    ("samples", "heldout"),
    [
        (torch.zeros(30, 3), normal(30, 3)),
        (normal(2, 3), normal(2, 3, seed=1)),
        (normal(30, 3), normal(30, 3)[torch.arange(30) // 10]),
        (normal(30, 3), torch.cat([torch.zeros(20, 3), normal(10, 3)])),
    ],
)
def test_degenerate_sets_give_finite_numbers_or_are_refused(samples, heldout):
    try:
        found = neighbourhoods(evalset(samples, heldout))
    except NotDefined:
        return
    assert [m.name for m in found] == ["precision", "recall", "density", "coverage"]
    assert all(m.value is not None and math.isfinite(m.value) for m in found)
    assert all(m.stderr is None or m.stderr > 0 or m.name == "density" for m in found)


def test_repeated_held_out_points_are_refused_or_noted():
    with pytest.raises(NotDefined, match="more than 5 times"):
        neighbourhoods(evalset(normal(30, 3), torch.ones(30, 3)))
    half = torch.cat([torch.zeros(15, 3), normal(15, 3)])
    assert "15 of 30 balls are empty" in measured(normal(30, 3, seed=1), half)["coverage"].note
    with pytest.raises(NotDefined, match="at least 2"):
        neighbourhoods(evalset(normal(1, 3), normal(30, 3)))
