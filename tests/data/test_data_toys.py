"""Toys: their density is one, and it is the density of their samples."""

import math

import pytest
import torch

from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind, Reference
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.toys import toys

NAMES = list(toys)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_density_integrates_to_one(name: str) -> None:
    toy = toys[name]()
    low = toy.centres.min(0).values - 7 * toy.sigma
    high = toy.centres.max(0).values + 7 * toy.sigma
    h = toy.sigma / 1.25  # the rule is exact to e^(-2 pi^2 1.25^2), 1e-13, for a Gaussian
    axes = [torch.arange(a, b, h, dtype=torch.float64) for a, b in zip(low, high, strict=True)]
    total = 0.0
    for column in axes[0].split(1 + 100_000 // len(toy.centres)):
        points = torch.cartesian_prod(column, axes[1])
        # points far from every centre have no part in the sum
        near = torch.cdist(points[:, None], toy.centres[None]).amin((1, 2)) < 8 * toy.sigma
        total += toy.log_prob(points[near]).nats.exp().sum().item() * h * h
    assert total == pytest.approx(1, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_samples_have_the_density(name: str) -> None:
    toy = toys[name]()
    n = 20_000
    batch = toy.sample(n, torch.Generator().manual_seed(1))
    assert batch.x.shape == (n, 2)
    assert batch.x.dtype == torch.float32
    mean = toy.centres.mean(0)
    variance = (toy.centres - mean).square().mean(0) + toy.sigma**2
    x = batch.x.double()
    assert ((x.mean(0) - mean).abs() < 4 * (variance / n).sqrt()).all()
    spread = (x - x.mean(0)).square().std(0) / math.sqrt(n)
    assert ((x.var(0) - variance).abs() < 4 * spread).all()
    # E_q[p(x') / q(x')] = 1 with q the samples' own density would be circular: take p moved a little
    shift = torch.tensor([0.3, 0.2]) * toy.sigma
    ratio = (toy.log_prob(x + shift).nats - toy.log_prob(x).nats).exp()
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / math.sqrt(n)


def test_density_by_hand() -> None:
    ring = toys["ring"]()
    x = torch.tensor([[2.0, 0.0], [2.02, 0.0]])
    peak = -math.log(8 * 2 * math.pi * 0.02**2)
    log_prob = ring.log_prob(x)
    assert log_prob.kind is Kind.EXACT
    assert log_prob.reference is Reference.DENSITY
    assert log_prob.nats.dtype == torch.float32
    assert log_prob.nats.tolist() == pytest.approx([peak, peak - 0.5], abs=1e-4)
    of_class = ring.log_prob(x, torch.tensor([0, 1]))
    assert of_class.nats[0].item() == pytest.approx(peak + math.log(8), abs=1e-4)
    assert of_class.nats[1] < -1000
    assert len(ring.log_prob(x[:0]).nats) == 0


@pytest.mark.parametrize("name", NAMES)
def test_classes_mix_to_the_marginal(name: str) -> None:
    toy = toys[name]()
    x = toy.sample(100, torch.Generator().manual_seed(2)).x.double()
    classes = toy.space.classes
    each = torch.stack([toy.log_prob(x, torch.full((100,), k)).nats for k in range(classes)])
    mixed = each.logsumexp(0) - math.log(classes)
    assert torch.allclose(mixed, toy.log_prob(x).nats, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_toy_data(name: str) -> None:
    data = load(name)
    assert data.survey.count == 10_000
    assert data.space == toys[name]().space
    assert data.train.values.shape == (7200, 2)
    assert data.log_prob is not None
    assert data.log_prob(data.heldout.as_batch().x).nats.isfinite().all()
    assert data.hashes == load(name).hashes
    assert len(data.class_names) == data.space.classes


@pytest.mark.parametrize(
    ("flag", "options"),
    [
        ("size", Options(size=8)),
        ("channels", Options(channels=1)),
        ("levels", Options(levels=2)),
        ("binarise", Options(binarise="static")),
    ],
)
def test_image_options_are_refused(flag: str, options: Options) -> None:
    with pytest.raises(UsageError, match=f"--{flag} is for images, and ring holds vectors"):
        load("ring", options)


def test_label_is_for_tables() -> None:
    with pytest.raises(UsageError, match="digits is none"):
        load("digits", Options(label="y"))
