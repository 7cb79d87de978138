"""Frechet and kernel distances against closed forms, and against torchmetrics."""

import math

import pytest
import torch

from plausible.core.errors import NotDefined
from plausible.evaluation.metrics import distances
from plausible.evaluation.metrics.distances import frechet, frechet_limit, kernel_distance

SIZES = distances._SIZES


@pytest.fixture(autouse=True)
def _all_sizes(monkeypatch):
    """Other tests extrapolate from fewer."""
    monkeypatch.setattr(distances, "_SIZES", SIZES)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.slow
def test_the_frechet_distance_agrees_with_torchmetrics():
    fid = pytest.importorskip("torchmetrics.image.fid")

    class Flat(torch.nn.Module):
        num_features = 24

        def forward(self, x):
            return x.flatten(1)

    generator = seeded()
    a = torch.rand(300, 24, 1, 1, generator=generator)
    b = torch.rand(250, 24, 1, 1, generator=generator) ** 2
    theirs = fid.FrechetInceptionDistance(feature=Flat(), input_img_size=(24, 1, 1))
    theirs.set_dtype(torch.float64)
    theirs.update(a.double(), real=True)
    theirs.update(b.double(), real=False)
    assert frechet(a.flatten(1), b.flatten(1)) == pytest.approx(theirs.compute().item(), rel=1e-6)


@pytest.mark.slow
def test_the_limit_takes_the_bias_of_both_sides_away():
    """In 16 dimensions with n = m = 250 the plain distance is off by 0.57 at distance 0."""
    values, errors, plain = [], [], []
    for seed in range(8):
        generator = seeded(seed)
        a = torch.randn(250, 16, generator=generator)
        b = torch.randn(250, 16, generator=generator)
        value, error = frechet_limit(a, b, generator)
        values.append(value)
        errors.append(error)
        plain.append(frechet(a, b))
    mean = sum(values) / 8
    spread = torch.tensor(values).std().item()
    assert sum(plain) / 8 > 0.5
    assert abs(mean) < 4 * spread / math.sqrt(8)
    assert 0.7 * spread < sum(errors) / 8 < 4 * spread  # conservative at 0, where the root bends


def test_the_limit_of_a_shift_is_the_shift():
    generator = seeded(1)
    a, b = torch.randn(2, 4000, 8, generator=generator)
    value, error = frechet_limit(a, b + 1, generator)
    assert value == pytest.approx(8, abs=4 * error)
    assert 0 < error < 0.5
    with pytest.raises(NotDefined, match=r"too few to extrapolate in 64 dimensions; 192 would do"):
        frechet_limit(torch.randn(100, 64), torch.randn(100, 64), generator)


@pytest.mark.parametrize(("shift", "truth"), [(1.0, 22.0), (0.5, 3.578125), (0.0, 0.0)])
def test_the_kernel_distance_of_normals_in_one_dimension(shift, truth):
    """E of the cubic kernel between N(0, 1) and N(shift, 1), g = c = 1 has a closed form."""
    generator = seeded(2)
    draws = torch.tensor(
        [
            kernel_distance(
                torch.randn(500, 1, generator=generator),
                torch.randn(500, 1, generator=generator) + shift,
            )
            for _ in range(60)
        ]
    )
    values, errors = draws[:, 0], draws[:, 1]
    assert values.mean().item() == pytest.approx(truth, abs=4 * values.std().item() / 60**0.5)
    # the standard error is one: as large as the spread of the values themselves
    assert errors.square().mean().sqrt().item() == pytest.approx(values.std().item(), rel=0.5)


def test_the_kernel_distance_is_the_double_sum():
    generator = seeded(3)
    a, b = torch.randn(7, 3, generator=generator), torch.randn(5, 3, generator=generator)

    def k(x, y):
        return (float(x.double() @ y.double()) / 3 + 1) ** 3

    truth = sum(k(a[i], a[j]) for i in range(7) for j in range(7) if i != j) / 42
    truth += sum(k(b[i], b[j]) for i in range(5) for j in range(5) if i != j) / 20
    truth -= 2 * sum(k(x, y) for x in a for y in b) / 35
    assert kernel_distance(a, b)[0] == pytest.approx(truth, rel=1e-9)
    with pytest.raises(NotDefined, match="at least 3"):
        kernel_distance(a[:2], b)
