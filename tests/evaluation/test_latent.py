"""Path lengths against linear generators, whose lengths are known."""

import math

import pytest
import torch

from plausible.core.model import Generative
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.measure import measure, metrics
from plausible.evaluation.metrics.latent import path_length
from plausible.sampling.latent import slerp, slerp_path


class Linear(Generative):
    """x = A z + b, with as many z as x."""

    name, place = "linear", ("test",)

    def __init__(self, space, matrix, conditional=False):
        config = self.Config()
        object.__setattr__(config, "conditional", conditional)
        super().__init__(space, config)
        self.matrix, self.ends = matrix, []

    def latent(self, n, generator=None):
        return torch.randn(n, self.matrix.shape[1], generator=generator)

    def decode(self, z, y=None):
        assert not self.training
        self.ends.append(y)
        shift = 0 if y is None else y[:, None] * 100.0
        return (z @ self.matrix.T + shift).unflatten(1, self.space.shape)

    def _noise(self, n, generator):
        return self.latent(n, generator)

    def _sample(self, noise, y):
        return self.decode(noise, y)


def view(x, space):
    return Embedded(Part(x, None, space), x.flatten(1), x.flatten(1), torch.zeros(len(x)).long())


def evalset(real, model, extract=lambda x: x):
    space = model.space if model else Space(real.shape[1:])
    seen = view(real, space)
    return EvaluationSet(space, seen, seen, seen, ("all",), False, extract, model=model)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def ratio(*arguments):
    (row,) = measure(metrics["path length ratio"], evalset(*arguments))
    return row


def test_a_linear_generator_has_twice_its_squared_norm():
    matrix = normal(7, 5, seed=1)
    start, end = normal(2, 20_000, 5)
    found = path_length(lambda z: z @ matrix.T, lambda x: x, start, end, generator=None)
    assert found.shape == (20_000,)
    assert found.mean().item() == pytest.approx(2 * matrix.square().sum().item(), rel=0.03)


def test_a_line_has_one_speed_whatever_the_step_and_a_constant_has_none():
    matrix, (start, end) = normal(7, 5, seed=1), normal(2, 50, 5)
    truth = ((end - start) @ matrix.T).square().sum(1).double()
    for epsilon in (1e-1, 1e-2, 1e-3):
        speed = path_length(lambda z: z @ matrix.T, lambda x: x, start, end, epsilon=epsilon)
        assert torch.allclose(speed, truth, rtol=1e-5 / epsilon)
    still = path_length(lambda z: torch.ones(len(z), 3), lambda x: x, start, end, slerp)
    assert still.tolist() == [0] * 50


def test_a_great_circle_between_unit_vectors_has_its_angle_as_speed():
    start, end = torch.tensor([[1.0, 0, 0]]), torch.tensor([[0, 1.0, 0]])
    speed = path_length(lambda z: z, lambda x: x, start, end, slerp)
    assert speed.item() == pytest.approx((math.pi / 2) ** 2, rel=1e-4)
    a, b = normal(2, 6, 4)
    walk = slerp_path(a, b, 5)
    for k in range(5):
        assert torch.allclose(walk[:, k], slerp(a, b, torch.full((6, 1), k / 4)), atol=1e-6)


def test_the_ratio_to_blends_of_data_is_that_of_the_scales():
    """Data and samples are N(0, I) and N(0, 9 I), and in 50 dimensions a great circle is nearly
    as long as (pi / 2) of a straight line of 2 / 2: speed^2 of pi^2 / 4 per squared radius, not 2."""
    wide = ratio(normal(3000, 50), Linear(Space((50,)), 3 * torch.eye(50)))
    assert wide.value == pytest.approx(9 * math.pi**2 / 8, rel=0.05)
    assert wide.stderr < 0.05 * wide.value
    assert wide.n == 512
    assert wide.value == ratio(normal(3000, 50), Linear(Space((50,)), 3 * torch.eye(50))).value


def test_images_and_labels_pass_and_both_ends_share_a_label():
    space = Space((1, 4, 4), classes=3)
    model = Linear(space, torch.eye(16), conditional=True).train()
    found = ratio(normal(50, 1, 4, 4), model, lambda x: x.flatten(1))
    assert 0.5 < found.value < 2  # a change of label would be a jump of 100
    assert model.training
    assert len(model.ends) == 2 * 4
    assert all(torch.equal(a, b) for a, b in zip(model.ends[::2], model.ends[1::2], strict=True))
    assert torch.cat(model.ends).unique().tolist() == [0, 1, 2]


def test_broken_generators_and_data_are_finite_or_refused():
    space = Space((3,))
    constant = ratio(normal(2, 3), Linear(space, torch.zeros(3, 2)))
    assert constant.value == 0
    assert constant.stderr == 0
    assert "constant" in constant.note
    assert math.isfinite(ratio(normal(20, 1), Linear(Space((1,)), torch.ones(1, 1))).value)
    for real, model, reason in [
        (torch.ones(20, 3), Linear(space, torch.eye(3)), "no scale"),
        (normal(1, 3), Linear(space, torch.eye(3)), "at least 2 held-out"),
        (normal(20, 3), Linear(space, torch.full((3, 3), math.inf)), "NaN or infinite"),
        (normal(20, 3), None, "not latent"),
    ]:
        refused = ratio(real, model)
        assert refused.value is None
        assert reason in refused.note
