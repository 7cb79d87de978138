import math

import pytest
import torch

from plausible.core.likelihood import Kind, LogProb, Reference

EXACT, LOWER, UPPER, ESTIMATE = Kind


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        (EXACT, EXACT, EXACT),
        (EXACT, LOWER, LOWER),
        (LOWER, LOWER, LOWER),
        (UPPER, EXACT, UPPER),
        (LOWER, UPPER, ESTIMATE),
        (ESTIMATE, LOWER, ESTIMATE),
    ],
)
def test_kinds_of_sums(a, b, both):
    assert a.combined(b) is both
    assert b.combined(a) is both


def test_negation_swaps_bounds_and_a_ratio_of_bounds_bounds_nothing():
    low = LogProb(torch.tensor([-1.0]), LOWER)
    assert (-low).kind is UPPER
    assert (low - low).kind is ESTIMATE
    assert (low - LogProb(torch.tensor([-2.0]))).kind is LOWER
    assert [kind.sign for kind in Kind] == ["=", "≥", "≤", "≈"]


def test_a_log_prior_keeps_kind_and_error():
    p = LogProb(torch.tensor([-1.0, -2.0]), LOWER, stderr=torch.tensor([0.1, 0.2])) + math.log(0.5)
    assert p.kind is LOWER
    assert p.nats.tolist() == pytest.approx([-1 - math.log(2), -2 - math.log(2)])
    assert p.stderr.tolist() == pytest.approx([0.1, 0.2])


def test_mass_and_density_never_meet():
    mass, density = LogProb(torch.zeros(1)), LogProb(torch.zeros(1), reference=Reference.DENSITY)
    with pytest.raises(ValueError, match="mass and a density"):
        mass + density
    with pytest.raises(ValueError, match="mixed"):
        LogProb.logsumexp([mass, density])


def test_logsumexp_is_a_mixture_with_first_order_error():
    parts = [
        LogProb(torch.tensor([math.log(0.2)]), LOWER, stderr=torch.tensor([0.1])),
        LogProb(torch.tensor([math.log(0.3)]), EXACT),
    ]
    mixed = LogProb.logsumexp(parts)
    assert mixed.nats.item() == pytest.approx(math.log(0.5))
    assert mixed.kind is LOWER
    assert mixed.stderr.item() == pytest.approx(0.1 * 0.4)


def test_a_mean_keeps_the_shared_error_whole_and_shrinks_the_independent_one():
    n = 400
    p = LogProb(torch.full((n,), -3.0), ESTIMATE, stderr=torch.full((n,), 0.2), shared=0.05)
    mean = p.mean()
    assert mean.nats.item() == pytest.approx(-3)
    assert mean.stderr.item() == pytest.approx(math.hypot(0.2 / 20, 0.05), rel=1e-6)


def test_bits_per_dimension_of_a_fair_coin_is_one():
    assert LogProb(torch.tensor([8 * math.log(0.5)])).bits_per_dim(8).item() == pytest.approx(1)


def test_the_error_of_an_entry_is_its_own_and_the_shared_one():
    nats = torch.zeros(2)
    assert LogProb(nats).error is None
    assert LogProb(nats, shared=0.3).error.tolist() == pytest.approx([0.3, 0.3])
    both = LogProb(nats, stderr=torch.tensor([0.4, 0.0]), shared=0.3)
    assert both.error.tolist() == pytest.approx([0.5, 0.3])
