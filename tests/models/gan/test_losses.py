"""Every loss at known logits: textbook values, textbook gradients, and which way G pushes."""

import math

import pytest
import torch

from plausible.models.gan.losses import RELATIVE, losses

LN2 = math.log(2)
ALL = sorted(losses)


def costs(name, real, fake):
    return losses[name](torch.tensor(real), torch.tensor(fake))


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("minimax", 2 * LN2, -LN2),
        ("nonsaturating", 2 * LN2, LN2),
        ("relativistic", LN2, LN2),
        ("relativistic-average", 2 * LN2, 2 * LN2),
        ("least-squares", 0.5, 0.5),
        ("hinge", 2.0, 0.0),
        ("wasserstein", 0.0, 0.0),
    ],
)
def test_values_where_the_discriminator_knows_nothing(name, discriminator, generator):
    c = costs(name, [0.0], [0.0])
    assert c.discriminator.item() == pytest.approx(discriminator)
    assert c.generator.item() == pytest.approx(generator)
    assert c.real.item() == c.fake.item()
    if name != "least-squares":  # there D knows nothing at 1/2, between its targets
        assert c.real.item() == 0.5
    else:
        assert costs(name, [0.5], [0.5]).real.item() == 0.5


@pytest.mark.parametrize(
    ("name", "by_real", "by_fake", "of_generator"),
    [
        ("minimax", -0.5, 0.5, -0.5),
        ("nonsaturating", -0.5, 0.5, -0.5),
        ("relativistic", -0.5, 0.5, -0.5),
        ("relativistic-average", -1.0, 1.0, -1.0),
        ("least-squares", -1.0, 0.0, -1.0),
        ("hinge", -1.0, 1.0, -1.0),
        ("wasserstein", -1.0, 1.0, -1.0),
    ],
)
def test_gradients_where_the_discriminator_knows_nothing(name, by_real, by_fake, of_generator):
    real, fake = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    c = losses[name](real, fake)
    a, b = torch.autograd.grad(c.discriminator.sum(), (real, fake))
    (g,) = torch.autograd.grad(losses[name](real, fake).generator.sum(), fake)
    assert (a.item(), b.item(), g.item()) == pytest.approx((by_real, by_fake, of_generator))


def test_the_saturating_gradient_vanishes_where_d_is_sure_and_the_other_does_not():
    def slope(name):
        fake = torch.tensor([-10.0], dtype=torch.float64, requires_grad=True)
        cost = losses[name](torch.zeros(1, dtype=torch.float64), fake).generator
        return torch.autograd.grad(cost.sum(), fake)[0].item()

    assert slope("minimax") == pytest.approx(-4.5398e-5, rel=1e-4)
    assert slope("nonsaturating") == pytest.approx(-0.9999546, rel=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_losses_are_finite_with_finite_gradients_at_extreme_logits(name):
    real = torch.tensor([60.0, -60.0], requires_grad=True)
    fake = torch.tensor([-60.0, 60.0], requires_grad=True)
    c = losses[name](real, fake)
    total = (c.discriminator + c.generator).sum()
    grads = torch.autograd.grad(total, (real, fake))
    assert total.isfinite()
    assert all(grad.isfinite().all() for grad in grads)


@pytest.mark.parametrize("name", ALL)
def test_the_generator_pushes_d_of_its_samples_up_and_the_discriminator_pushes_it_down(name):
    torch.manual_seed(0)
    real, fake = torch.randn(50), torch.randn(50, requires_grad=True)
    real, fake = real.sigmoid(), fake.sigmoid()  # where no loss is satisfied: above 0 and below 1
    c = losses[name](real, fake)
    (by_g,) = torch.autograd.grad(c.generator.sum(), fake, retain_graph=True)
    (by_d,) = torch.autograd.grad(c.discriminator.sum(), fake)
    assert (by_g < 0).all()
    assert (by_d > 0).all()


@pytest.mark.parametrize("name", ALL)
def test_costs_are_per_example_and_what_d_says_are_probabilities(name):
    torch.manual_seed(0)
    c = losses[name](torch.randn(7), torch.randn(7))
    assert c.discriminator.shape == c.generator.shape == c.real.shape == c.fake.shape == (7,)
    assert ((c.real > 0) & (c.real < 1) & (c.fake > 0) & (c.fake < 1)).all()


@pytest.mark.parametrize("name", ["relativistic", "relativistic-average", "wasserstein"])
def test_a_relative_loss_has_no_absolute_level(name):
    torch.manual_seed(0)
    real, fake = torch.randn(9), torch.randn(9)
    a, b = losses[name](real, fake), losses[name](real + 5, fake + 5)
    assert torch.allclose(a.discriminator, b.discriminator, atol=1e-6)
    assert torch.allclose(a.real, b.real, atol=1e-6)
    assert torch.allclose(a.fake, b.fake, atol=1e-6)
    moved = (b.generator - a.generator).unique()  # at most a constant, which moves no weight
    assert torch.allclose(moved, moved[:1], atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_g_pays_for_a_sample_beside_data_by_the_relative_losses_alone(name):
    real, fake = torch.randn(5, requires_grad=True), torch.randn(5)
    cost = losses[name](real, fake).generator.sum()
    read = cost.requires_grad and torch.autograd.grad(cost, real)[0].abs().sum() > 0
    assert bool(read) == (name in RELATIVE)


def test_hinge_leaves_alone_what_is_beyond_its_margin():
    c = costs("hinge", [1.5, 0.5], [-1.5, -0.5])
    assert c.discriminator.tolist() == [0.0, 1.0]
    assert c.generator.tolist() == [1.5, 0.5]


def test_least_squares_rests_at_its_targets():
    c = costs("least-squares", [1.0], [0.0])
    assert c.discriminator.item() == 0
    assert c.generator.item() == 0.5


def test_the_relativistic_average_compares_with_the_mean_of_the_other_side():
    c = costs("relativistic-average", [2.0, 0.0], [-1.0, 3.0])  # means 1 and 1
    expected = [
        math.log1p(math.exp(-1)) + math.log1p(math.exp(-2)),
        math.log1p(math.e) + math.log1p(math.e**2),
    ]
    assert c.discriminator.tolist() == pytest.approx(expected)


def test_a_perfect_discriminator_between_two_densities_has_the_value_of_goodfellow():
    """With D* = p / (p + q) the game is worth -log 4 + 2 JSD; -log 4 where p = q."""
    p = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    q = torch.tensor([0.25, 0.25, 0.25, 0.25], dtype=torch.float64)
    mid = (p + q) / 2
    jsd = ((p * (p / mid).log()).sum() + (q * (q / mid).log()).sum()) / 2
    best = (p / q).log()  # the logit of p / (p + q)
    c = losses["minimax"](best, best)
    on_real = losses["minimax"](best, torch.full_like(best, -1e3)).discriminator
    on_fake = losses["minimax"](torch.full_like(best, 1e3), best).discriminator
    value = -((p * on_real).sum() + (q * on_fake).sum())
    assert value.item() == pytest.approx((-math.log(4) + 2 * jsd).item())
    assert c.real.tolist() == pytest.approx((p / (p + q)).tolist())
