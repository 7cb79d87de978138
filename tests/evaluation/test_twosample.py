"""MMD, the nearest neighbour and a learned classifier, as tests of G against H."""

import itertools

import pytest
import torch
from evaluation_points import evalset

from plausible.core.errors import NotDefined
from plausible.evaluation.metrics.neighbours import nearest_other
from plausible.evaluation.metrics.two_sample import (
    classifier_accuracy,
    mmd,
    neighbour_accuracy,
    two_sample_tests,
)
from plausible.evaluation.permutation import GroupLabels, observed, p_value, permuted


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_mmd_is_the_double_sum_for_every_labelling():
    points = torch.randn(8, 3, generator=seeded())
    width = torch.pdist(points).median() ** 2
    kernel = (-torch.cdist(points, points).square() / (2 * width)).exp()
    rows = [r for r in itertools.product([0.0, 1.0], repeat=8) if sum(r) == 4]
    g = torch.tensor(rows)
    found = mmd(points, GroupLabels(g, 1 - g, g > 0, g <= 0), seeded())
    sign = 2 * g - 1
    assert torch.allclose(found.float(), ((sign @ kernel) * sign).sum(1) / 16, atol=1e-5)


def test_the_nearest_neighbour_of_alike_and_of_separate_sets():
    generator = seeded(1)
    for shift, low, high in ((0.0, 0.4, 0.6), (50.0, 1.0, 1.0)):
        points = torch.randn(400, 4, generator=generator)
        points[:200] += shift
        after = nearest_other(points, generator)
        assert low <= neighbour_accuracy(after, observed(200)).item() <= high
    twins = torch.randn(50, 4, generator=generator).repeat(2, 1)
    after = nearest_other(twins, generator)
    assert neighbour_accuracy(after, observed(50)).item() == 0  # each sample on a held-out one


def test_ties_do_not_know_who_is_a_sample():
    """8 different values only: the p-values of the nearest neighbour are uniform all the same."""
    generator, ps = seeded(5), []
    for _ in range(200):
        points = torch.randint(8, (120, 1), generator=generator).float()
        after = nearest_other(points, generator)
        found = neighbour_accuracy(after, observed(60).then(permuted(60, 99, generator)))
        ps.append(p_value(found[0].item(), found[1:]))
    for level in (0.05, 0.25, 0.5):
        share = sum(p <= level for p in ps) / 200
        assert share == pytest.approx(level, abs=4 * (level * (1 - level) / 200) ** 0.5)


def test_a_learned_classifier_is_exact_under_the_null_and_finds_a_difference():
    generator = seeded(2)
    ps = [
        classifier_accuracy(torch.randn(80, 2, generator=generator), generator)[1]
        for _ in range(120)
    ]
    assert (torch.tensor(ps) <= 0.1).double().mean().item() <= 0.1 + 4 * (0.09 / 120) ** 0.5
    points = torch.randn(400, 2, generator=generator)
    points[:200] *= 3  # alike in the mean, found in the squares
    accuracy, p, tested = classifier_accuracy(points, generator)
    assert accuracy > 0.6
    assert p < 1e-3
    assert tested == 200
    with pytest.raises(NotDefined, match="too few to train and test"):
        classifier_accuracy(torch.zeros(4, 2), generator)


def test_all_three_as_measures():
    generator = seeded(3)
    train, real, same = torch.randn(3, 150, 3, generator=generator)
    alike = {m.name: m for m in two_sample_tests(evalset(train, real, same))}
    apart = {m.name: m for m in two_sample_tests(evalset(train, real, same + 1))}
    assert set(alike) == {"MMD^2", "1-NN accuracy", "classifier accuracy"}
    assert all(m.p > 0.01 for m in alike.values())
    assert all(m.p < 0.01 for m in apart.values())
    point = torch.zeros(20, 3)
    with pytest.raises(NotDefined, match="all one point"):
        two_sample_tests(evalset(point, point, point))
