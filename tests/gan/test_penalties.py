"""With D(x) = w . x every penalty is known, at every batch size."""

import pytest
import torch

from plausible.models.implicit.gan.penalties import Point, Round, penalties


def played(critic, real, fake):
    return Round(critic, Point(critic, real), Point(critic, fake))


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


def test_r1_looks_at_the_data_and_r2_at_the_samples():
    def critic(x):
        return x.square().flatten(1).sum(1) / 2  # gradient x

    round = played(critic, torch.full((2, 3), 2.0), torch.full((2, 3), 4.0))
    assert penalties["r1"](round).tolist() == [6.0, 6.0]
    assert penalties["r2"](round).tolist() == [24.0, 24.0]


def test_logits_and_gradients_agree_with_autograd_to_second_order():
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
    ).double()
    x = torch.randn(6, 5, dtype=torch.float64)

    def critic(x):
        return net(x).squeeze(1)

    point = Point(critic, x)
    mine = torch.autograd.grad(point.gradient.square().sum(), list(net.parameters())[:3])
    leaf = x.clone().requires_grad_()
    (grad,) = torch.autograd.grad(critic(leaf).sum(), leaf, create_graph=True)
    truth = torch.autograd.grad(grad.square().sum(), list(net.parameters())[:3])
    assert torch.allclose(point.logits, critic(x))
    for a, b in zip(mine, truth, strict=True):
        assert torch.allclose(a, b)


def test_an_example_s_penalty_does_not_depend_on_its_neighbours():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 9), torch.nn.Tanh(), torch.nn.Linear(9, 1))
    real, fake = torch.randn(6, 4), torch.randn(6, 4)

    def critic(x):
        return net(x).squeeze(1)

    for penalty in penalties.values():
        whole = penalty(played(critic, real, fake))
        alone = torch.cat(
            [penalty(played(critic, real[i : i + 1], fake[i : i + 1])) for i in range(6)]
        )
        assert torch.allclose(whole, alone, atol=1e-6)
