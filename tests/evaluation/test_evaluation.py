"""Distances, features and the geometry of z, against closed forms."""

import math

import pytest
import torch

from plausible.core.errors import NotDefined
from plausible.evaluation.features import pca
from plausible.evaluation.metrics.classification import accuracy, class_counts, predict
from plausible.evaluation.metrics.distances import frechet
from plausible.sampling.latent import slerp_path


def with_moments(mean, covariance, n=400):
    """n rows whose sample mean and unbiased covariance are exactly these."""
    d = len(mean)
    rows = torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rows = rows - rows.mean(0)
    rows = rows @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(rows.T))).T
    return rows @ torch.linalg.cholesky(torch.tensor(covariance).double()).T + torch.tensor(mean)


@pytest.mark.parametrize(
    ("a", "b", "truth"),
    [
        (([0.0, 1.0], [[1.0, 0], [0, 4.0]]), ([3.0, 1.0], [[4.0, 0], [0, 9.0]]), 11.0),
        (([0.0, 0.0], [[2, 0.5], [0.5, 1]]), ([0.0, 0.0], [[1, -0.3], [-0.3, 3]]), 0.929311855),
    ],
)
def test_the_frechet_distance_of_known_gaussians(a, b, truth):
    a, b = with_moments(*a), with_moments(*b)
    assert frechet(a, b) == pytest.approx(truth, rel=1e-8)
    assert frechet(b, a) == pytest.approx(truth, rel=1e-8)


def test_fewer_rows_than_dimensions_take_the_nuclear_norm_and_agree_with_the_eigenvalues():
    generator = torch.Generator().manual_seed(1)
    a = torch.randn(20, 30, generator=generator)
    b = torch.randn(25, 30, generator=generator) + 0.5
    wide = frechet(a, b)
    # the same rows in 15 dimensions that carry everything: a rotation, then padding with zeros
    rotation = torch.linalg.qr(torch.randn(30, 30, generator=generator))[0]
    assert frechet(a @ rotation, b @ rotation) == pytest.approx(wide, rel=1e-4)
    small_a, small_b = a[:, :15], b[:, :15]
    padded = [torch.cat([x, torch.zeros(len(x), 15)], 1) for x in (small_a, small_b)]
    assert frechet(*padded) == pytest.approx(frechet(small_a, small_b), rel=1e-6)


def test_the_bias_under_the_null_is_the_one_of_theory():
    """Identity covariance, d = 64, n = m = 1000: 2.208 to first order."""
    generator = torch.Generator().manual_seed(0)
    values = [
        frechet(*torch.randn(2, 1000, 64, generator=generator, dtype=torch.float64))
        for _ in range(12)
    ]
    mean = sum(values) / len(values)
    error = torch.tensor(values).std().item() / math.sqrt(len(values))
    assert mean == pytest.approx(2.208, abs=4 * error + 0.03 * 2.208)


def test_identical_sets_are_at_distance_zero_and_broken_ones_are_refused():
    x = torch.randn(50, 8)
    assert frechet(x, x) == pytest.approx(0, abs=1e-6)
    assert frechet(torch.ones(9, 3), torch.ones(9, 3)) == 0
    with pytest.raises(NotDefined, match="at least 2"):
        frechet(x[:1], x)
    with pytest.raises(NotDefined, match="NaN"):
        frechet(x * float("nan"), x)


def test_principal_components_keep_the_variance_there_is():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 3, generator=generator) @ torch.tensor(
        [[3.0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 1, 0]]
    )
    features = pca(x, 2)(x)
    assert features.shape == (200, 2)
    assert features.var(0).flip(0).sqrt().tolist() == pytest.approx([3, 2], rel=0.15)
    assert pca(torch.rand(30, 3, 64, 48))(torch.rand(5, 3, 64, 48)).shape == (5, 29)


def test_a_great_circle_turns_evenly_and_changes_length_evenly():
    start, end = torch.tensor([[2.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 4.0], [2.0, 2.0]])
    walk = slerp_path(start, end, 5)
    assert torch.allclose(walk[:, 0], start)
    assert torch.allclose(walk[:, -1], end, atol=1e-6)
    angles = torch.atan2(walk[0, :, 1], walk[0, :, 0])
    assert torch.allclose(angles.diff(), torch.full((4,), math.pi / 8), atol=1e-6)
    assert torch.allclose(walk[0].norm(dim=1).diff(), torch.full((4,), 0.5), atol=1e-6)
    assert walk.isfinite().all()  # the second pair has the same direction


class Threshold:
    def log_posterior(self, x):
        return torch.stack([1 - x[:, 0], x[:, 0]], 1).log()


def test_predictions_counts_and_accuracy(binary):
    x = torch.tensor([[0.2], [0.9], [0.7]])
    assert predict(Threshold(), x).tolist() == [0, 1, 1]
    assert class_counts(torch.tensor([0, 2, 2]), 4).tolist() == [1, 0, 2, 0]

    class First:
        def log_posterior(self, x):
            return torch.tensor([[0.0, -1.0]]).expand(len(x), 2)

    assert accuracy(First(), binary.heldout) == (binary.heldout.y == 0).double().mean().item()
