"""Shuffled labels, exact p-values and Holm's correction."""

import pytest
import torch

from plausible.evaluation.permutation import holm, observed, p_value, permuted, resampled


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_shuffled_labels_are_halves_and_redrawn_ones_stay_on_their_side():
    shuffled, redrawn = permuted(6, 50, seeded()), resampled(6, 50, seeded())
    assert (shuffled.g.sum(1) == 6).all()
    assert torch.equal(shuffled.g + shuffled.h, torch.ones(50, 12))
    assert torch.equal(shuffled.is_sample, shuffled.g > 0)
    assert len(shuffled.g.unique(dim=0)) > 30
    for weights in (redrawn.g[:, :6], redrawn.h[:, 6:]):
        assert (weights.sum(1) == 6).all()
    assert redrawn.g[:, 6:].sum() == redrawn.h[:, :6].sum() == 0
    assert torch.equal(observed(3).g, torch.tensor([[1.0, 1, 1, 0, 0, 0]]))


def test_a_difference_of_means():
    scores = torch.tensor([3.0, 5.0, 1.0, 2.0])
    assert observed(2).difference(scores).item() == 2.5


def test_p_values_are_uniform_under_the_null():
    """Among all statistics of exchangeable points P(p <= a) <= a, and nearly equal."""
    generator, ps = seeded(1), []
    for _ in range(300):
        scores = torch.randn(40, generator=generator)
        labels = permuted(20, 99, generator)
        ps.append(p_value(observed(20).difference(scores).item(), labels.difference(scores)))
    ps = torch.tensor(ps)
    for level in (0.05, 0.25, 0.5, 0.9):
        share = (ps <= level).double().mean().item()
        assert share == pytest.approx(level, abs=4 * (level * (1 - level) / 300) ** 0.5)
    assert ps.min() >= 0.01


def test_a_p_value_counts_ties_and_never_is_zero():
    assert p_value(5.0, torch.zeros(99)) == 0.01
    assert p_value(0.0, torch.zeros(99)) == 1.0
    assert p_value(0.3, torch.tensor([0.1, 0.2, 0.3, 0.4])) == 3 / 5


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
