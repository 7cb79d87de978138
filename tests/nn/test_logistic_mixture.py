"""log p of a mixture of logistics, whose gradient is by hand."""

import pytest
import torch

from plausible.nn.observation import LogisticMixture


def drawn(components: int, levels: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers far apart, some of scales that are held, and levels with both ends, as networks lay them out."""
    generator = torch.Generator().manual_seed(components)
    params = 4 * torch.randn(3, 3 * components, 4, 5, generator=generator, dtype=dtype)
    params[1, 2 * components :] -= 9
    params[2, 2 * components :] += 9
    target = torch.randint(levels, (3, 4, 5), generator=generator)
    target[:, 0, 0], target[:, 0, 1] = 0, levels - 1
    return params, target


def both(components: int, levels: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch):
    """[value, gradient] by hand and by automatic differentiation."""
    observation, found = LogisticMixture(levels, components), []
    for by_hand in (True, False):
        if not by_hand:
            monkeypatch.setattr(observation, "_by_hand", lambda params, target: False)
        params, target = drawn(components, levels, dtype)
        params.requires_grad_()
        value = observation.log_prob(params.movedim(1, -1), target)
        weights = torch.arange(value.numel(), dtype=dtype).view_as(value)
        found.append([value, *torch.autograd.grad((weights * value).sum(), params)])
    return zip(*found, strict=True)


@pytest.mark.parametrize(("components", "levels"), [(1, 256), (3, 3), (10, 256)])
def test_value_and_gradient_are_those_of_automatic_differentiation(components, levels, monkeypatch):
    for mine, its in both(components, levels, torch.float64, monkeypatch):
        torch.testing.assert_close(mine, its, rtol=1e-10, atol=1e-10)
    for mine, its in both(components, levels, torch.float32, monkeypatch):
        torch.testing.assert_close(mine, its, rtol=1e-4, atol=1e-4)


def test_the_gradient_by_hand_is_that_of_finite_differences():
    params = torch.randn(2, 5, 6, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([[0, 3, 7, 2, 1], [7, 0, 5, 6, 4]])
    observation = LogisticMixture(8, 2)
    assert torch.autograd.gradcheck(lambda p: observation.log_prob(p, target), params)


def test_masses_of_all_levels_add_up_to_one_while_it_learns():
    params = torch.randn(9, requires_grad=True)
    nats = LogisticMixture(40, 3).log_prob(params.expand(40, 9), torch.arange(40))
    torch.testing.assert_close(nats.exp().sum(), torch.tensor(1.0))
