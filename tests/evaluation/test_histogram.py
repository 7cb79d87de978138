"""Shares of classes and bins."""

import math

import pytest
import torch
from evaluation_points import evalset

from plausible.core.errors import NotDefined
from plausible.evaluation.metrics import histogram as module
from plausible.evaluation.metrics.histogram import histogram, kmeans_bins, mode_shares

STARTS = module._STARTS


@pytest.fixture(autouse=True)
def _all_starts(monkeypatch):
    """Other tests take the first."""
    monkeypatch.setattr(module, "_STARTS", STARTS)


def of(train, samples, names="abcd"):
    """An evaluation set in which only modes matter."""
    zeros = [torch.zeros(len(modes), 2) for modes in (train, samples)]
    train, samples = torch.tensor(train), torch.tensor(samples)
    return evalset(*zeros, zeros[1], modes=(train, samples, samples), names=tuple(names))


def values(found):
    return {measure.name: measure.value for measure in found}


def test_the_reverse_kl_the_missing_mass_and_the_modes_by_hand():
    found = values(histogram(of([0, 0, 1, 2, 3, 3, 3, 3], [0, 0, 0, 1])))
    assert found["reverse KL"] == pytest.approx(0.75 * math.log(3) + 0.25 * math.log(2))
    assert found["missing mass"] == 5 / 8
    assert found["modes"] == 2


def test_equal_shares_diverge_by_nothing_and_a_class_nobody_has_counts_nothing():
    found = values(histogram(of([0, 1, 1, 2], [0, 1, 1, 2])))
    assert found["reverse KL"] == pytest.approx(0)
    assert found["missing mass"] == 0
    assert found["modes"] == 3
    assert found["NDB/K"] == 0


def test_a_divergence_under_the_null_is_that_of_theory():
    """E KL is about (K - 1) / 2n for n samples of K equal modes, when T is large."""
    generator, kls = torch.Generator().manual_seed(0), []
    train = (torch.arange(100_000) % 10).tolist()
    for _ in range(40):
        drawn = torch.randint(10, (500,), generator=generator).tolist()
        kls.append(values(histogram(of(train, drawn, "0123456789")))["reverse KL"])
    assert sum(kls) / 40 == pytest.approx(9 / 1000, rel=0.3)


def test_one_mode_has_no_histogram():
    with pytest.raises(NotDefined, match="all training examples lie in one mode"):
        histogram(of([0, 0], [0, 0], "a"))


def test_shares_stand_beside_real_ones():
    rows = mode_shares(of([0, 0, 1, 2], [0, 1, 1, 1]))
    assert [(r.name, r.samples, r.share, r.real) for r in rows[:2]] == [
        ("a", 1, 0.25, 0.5),
        ("b", 3, 0.75, 0.25),
    ]
    assert [r.ratio for r in rows] == [0.5, 3.0, 0.0, 0.0]


def test_bins_find_the_clusters():
    generator = torch.Generator().manual_seed(0)
    centres = 20 * torch.randn(6, 4, generator=generator)
    truth = torch.arange(600) % 6
    points = centres[truth] + torch.randn(600, 4, generator=generator)
    assign, count = kmeans_bins(points, 6, generator)
    assert count == 6
    found = assign(points, points)
    for k in range(6):  # one bin each
        assert len(found[truth == k].unique()) == 1
    assert len(found.unique()) == 6


def test_bins_of_fewer_points_than_bins():
    generator = torch.Generator().manual_seed(0)
    same = torch.ones(30, 2)
    assign, count = kmeans_bins(same, 5, generator)
    assert count == 1
    assert assign(same, same).max() == 0
    three = torch.eye(3)
    assert sorted(kmeans_bins(three, 10, generator)[0](three, three).tolist()) == [0, 1, 2]


def test_of_several_starts_the_best_is_kept(monkeypatch):
    points = torch.rand(60, 2, generator=torch.Generator().manual_seed(0))
    apart = {}
    for starts in (1, STARTS):
        monkeypatch.setattr(module, "_STARTS", starts)
        for seed in range(8):
            assign, _ = kmeans_bins(points, 7, torch.Generator().manual_seed(seed))
            mine = assign(points, points)
            within = [
                (x - x.mean(0)).square().sum() for x in map(lambda k: points[mine == k], range(7))
            ]
            apart[starts, seed] = sum(within).item()
    less = [apart[1, seed] - apart[STARTS, seed] for seed in range(8)]
    assert min(less) > -1e-4
    assert max(less) > 0.01
