"""What becomes of one coordinate in a flow: against another library and against autograd."""

import pytest
import torch
from tests.models.test_flow import seeded

from plausible.models.flow.spline import Knots, knots, spline, spline_inverse
from plausible.models.flow.transforms import transforms


def test_a_spline_is_that_of_zuko():
    zuko = pytest.importorskip("zuko")
    said = 2 * torch.randn(3, 50, 1, 8, generator=seeded(), dtype=torch.float64)
    theirs = zuko.transforms.MonotonicRQSTransform(said[0], said[1], said[2, ..., :7], bound=5.0)
    curve = Knots(theirs.horizontal, theirs.vertical, theirs.derivatives)
    x = torch.linspace(-7, 7, 201, dtype=torch.float64).expand(50, 201)
    y, log_slope = theirs.call_and_ladj(x)
    ours = spline(x, curve)
    assert torch.allclose(ours[0], y, atol=1e-5)
    assert torch.allclose(ours[1], log_slope, atol=1e-5)
    assert torch.allclose(spline_inverse(y, curve), theirs.inv(y), atol=1e-5)


def test_zeros_are_the_identity_and_so_is_what_lies_outside():
    x = torch.linspace(-8, 8, 321)
    y, log_slope = spline(x, knots(torch.zeros(321, 23), 5.0))
    assert torch.allclose(y, x, atol=1e-5)
    assert log_slope.abs().max() < 1e-5
    wild = knots(4 * torch.randn(321, 23, generator=seeded()), 5.0)
    y, log_slope = spline(x, wild)
    far = x.abs() >= 5
    assert torch.equal(y[far], x[far])
    assert not log_slope[far].any()
    assert (wild.x.diff(dim=1) > 0).all()
    assert (wild.slope > 0).all()


@pytest.mark.parametrize("transform", transforms)
def test_a_transform_rises_and_its_slope_is_that_of_autograd(transform):
    kind = transforms[transform](8)
    x = torch.linspace(-6, 6, 400, dtype=torch.float64, requires_grad=True)
    params = torch.randn(kind.size, generator=seeded(), dtype=torch.float64).expand(400, -1)
    z, log_slope = kind.forward(x, params)
    assert (z.diff() > 0).all()
    (slope,) = torch.autograd.grad(z.sum(), x)
    assert torch.allclose(slope.log(), log_slope, atol=1e-8)
    assert torch.allclose(kind.inverse(z, params), x, atol=1e-8)
