"""The gated unit of PixelCNN, whose gradient is by hand."""

import pytest
import torch

from plausible.models.pixelcnn.gate import gate


@pytest.mark.parametrize("groups", [1, 3])
def test_the_gradient_by_hand_is_that_of_finite_differences(groups):
    a = torch.randn(2, 6 * groups, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: gate(a, groups), a)


def test_it_says_the_same_whether_its_gradient_is_asked_for_or_not():
    a = 5 * torch.randn(4, 12, 3, 3)
    torch.testing.assert_close(gate(a.clone().requires_grad_(), 3), gate(a, 3))
