"""With D(x) = w . x every penalty is known, at every batch size."""

import pytest
import torch

from plausible.models.gan.penalties import CriticAt, PenaltyInput, penalties


def shifted(x):
    return x + 0.5


def played(logit, real, fake):
    def critic(x):
        return logit(x), x.new_zeros(len(x), 0)

    return PenaltyInput(critic, CriticAt(critic, real), CriticAt(critic, fake), shifted)


@pytest.mark.parametrize("name", ["r1", "r2"])
@pytest.mark.parametrize("n", [1, 7, 64])
def test_a_linear_critic_has_half_its_squared_norm_for_each_example(name, n):
    torch.manual_seed(0)
    w = torch.randn(1, 3, 4, 4, requires_grad=True)

    def critic(x):
        return (x * w).flatten(1).sum(1)

    value = penalties[name](played(critic, torch.randn(n, 3, 4, 4), torch.randn(n, 3, 4, 4)))
    assert value.shape == (n,)
    assert torch.allclose(value, w.square().sum().expand(n) / 2)
    (grad,) = torch.autograd.grad(value.mean(), w)
    assert torch.allclose(grad, w)  # d (|w|^2 / 2) / dw, whatever the batch size


@pytest.mark.parametrize("name", ["wgan-gp", "dragan"])
@pytest.mark.parametrize("n", [1, 7, 64])
def test_a_linear_critic_has_the_squared_distance_of_its_norm_from_one(name, n):
    torch.manual_seed(0)
    w = torch.randn(1, 3, 4, 4, requires_grad=True)

    def critic(x):
        return (x * w).flatten(1).sum(1)

    value = penalties[name](played(critic, torch.randn(n, 3, 4, 4), torch.randn(n, 3, 4, 4)))
    norm = w.norm()
    assert torch.allclose(value, (norm - 1).square().expand(n), rtol=1e-4)
    (grad,) = torch.autograd.grad(value.mean(), w)
    assert torch.allclose(grad, 2 * (norm - 1) * w / norm, rtol=1e-4)


def test_a_flat_critic_has_a_finite_gradient_under_a_root():
    w = torch.zeros(4, requires_grad=True)
    for name in ("wgan-gp", "dragan"):
        value = penalties[name](played(lambda x: x @ w, torch.randn(5, 4), torch.randn(5, 4)))
        assert torch.allclose(value, torch.ones(5))
        assert torch.autograd.grad(value.mean(), w)[0].isfinite().all()


def test_wgan_gp_looks_between_and_dragan_around_the_data():
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.sum(1)

    real, fake = torch.zeros(500, 2), torch.full((500, 2), 4.0)
    real[:250] = 1.0
    inputs = played(critic, real, fake)
    penalties["wgan-gp"](inputs)
    between = (seen[-1] - real) / (fake - real)
    assert torch.allclose(between[:, 0], between[:, 1], atol=1e-6)  # one u an example
    assert 0 <= between.min() < 0.05 < 0.95 < between.max() <= 1
    penalties["dragan"](inputs)
    noise = seen[-1] - real
    assert 0 <= noise.min() < 0.01
    assert noise.max() <= real.std() / 2
    assert not torch.allclose(noise[:, 0], noise[:, 1])  # each coordinate its own


def test_consistency_is_the_squared_change_of_the_logit():
    w = torch.tensor([1.0, 2.0, 3.0])
    value = penalties["consistency"](played(lambda x: x @ w, torch.randn(4, 3), torch.randn(4, 3)))
    assert torch.allclose(value, torch.full((4,), 2 * (0.5 * w.sum()).square().item()))


def test_r1_looks_at_the_data_and_r2_at_the_samples():
    def critic(x):
        return x.square().flatten(1).sum(1) / 2  # gradient x

    inputs = played(critic, torch.full((2, 3), 2.0), torch.full((2, 3), 4.0))
    assert penalties["r1"](inputs).tolist() == [6.0, 6.0]
    assert penalties["r2"](inputs).tolist() == [24.0, 24.0]


def test_logits_and_gradients_agree_with_autograd_to_second_order():
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
    ).double()
    x = torch.randn(6, 5, dtype=torch.float64)

    def critic(x):
        return net(x).squeeze(1)

    point = CriticAt(lambda x: (critic(x), x[:, :2] * 2), x)
    mine = torch.autograd.grad(point.gradient.square().sum(), list(net.parameters())[:3])
    leaf = x.clone().requires_grad_()
    (grad,) = torch.autograd.grad(critic(leaf).sum(), leaf, create_graph=True)
    truth = torch.autograd.grad(grad.square().sum(), list(net.parameters())[:3])
    assert torch.allclose(point.logit, critic(x))
    assert torch.equal(point.labels, x[:, :2] * 2)
    for a, b in zip(mine, truth, strict=True):
        assert torch.allclose(a, b)


def test_an_example_s_penalty_does_not_depend_on_its_neighbours():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 9), torch.nn.Tanh(), torch.nn.Linear(9, 1))
    real, fake = torch.randn(6, 4), torch.randn(6, 4)

    def critic(x):
        return net(x).squeeze(1)

    for penalty in (penalties[name] for name in ("r1", "r2", "consistency")):  # the others draw
        whole = penalty(played(critic, real, fake))
        alone = torch.cat(
            [penalty(played(critic, real[i : i + 1], fake[i : i + 1])) for i in range(6)]
        )
        assert torch.allclose(whole, alone, atol=1e-6)
