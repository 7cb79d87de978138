"""Held-out probability against a model that can be written down, and kernels against a formula."""

import math
from typing import ClassVar

import pytest
import torch

from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.model import Explicit
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.measure import measure, metrics
from plausible.evaluation.metrics.likelihood import parzen

SPACE = Space((1, 2, 3), levels=2)


class Coins(Explicit):
    """Every pixel is 1 with a probability of its own, whatever the others are."""

    name, place = "coins", ("test",)
    kind, stderr = Kind.EXACT, None
    family_kinds: ClassVar = {"log_prob": Kind.EXACT}

    def __init__(self, chance, space=SPACE, conditional=False):
        config = self.Config()
        object.__setattr__(config, "conditional", conditional)
        super().__init__(space, config)
        self.chance = chance

    def _log_prob(self, x, y, samples, generator):
        chance = self.chance if y is None else self.chance[y]
        nats = torch.where(x > 0.5, chance, 1 - chance).log().flatten(1).sum(1)
        stderr = None if self.stderr is None else torch.full_like(nats, self.stderr)
        return LogProb(nats, self.kind, stderr=stderr)

    def _noise(self, n, generator):
        return torch.rand(n, *self.space.shape, generator=generator)

    def _sample(self, noise, y):
        return (noise < self.chance).float()


class Normal(Explicit):
    """N(0, I) in standard units."""

    name, place = "normal", ("test",)

    def _log_prob(self, x, y, samples, generator):
        return LogProb(
            -(x.square() + math.log(2 * math.pi)).sum(1) / 2, reference=Reference.DENSITY
        )

    def _noise(self, n, generator):
        return torch.randn(n, *self.space.shape, generator=generator)

    def _sample(self, noise, y):
        return self.restore(noise)


def view(x, space):
    part = Part(space.codes(x) if space.levels else x, None, space)
    return Embedded(part, x.flatten(1), x.flatten(1), torch.zeros(len(x)).long())


def evalset(real, made=None, train=None, model=None, space=SPACE):
    train, real, made = (view(real if x is None else x, space) for x in (train, real, made))
    return EvaluationSet(
        space, train, real, made, ("all",), False, lambda x: x.flatten(1), model=model
    )


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def bits(n, seed=0, space=SPACE):
    return (
        torch.rand(n, *space.shape, generator=torch.Generator().manual_seed(seed)) < 0.3
    ).float()


def window(*arguments, **more):
    (row,) = measure(metrics["parzen window"], evalset(*arguments, **more))
    return row


def test_the_mean_held_out_log_probability_and_its_bits():
    real, model = bits(1300), Coins(torch.full(SPACE.shape, 0.3))
    nats, bit = measure(metrics["log likelihood"], evalset(real, model=model))
    each = (real * math.log(0.3) + (1 - real) * math.log(0.7)).flatten(1).sum(1).double()
    assert nats.value == pytest.approx(each.mean().item(), rel=1e-6)
    assert nats.stderr == pytest.approx(each.std().item() / math.sqrt(1300), rel=1e-6)
    assert bit.value == pytest.approx(-nats.value / (6 * math.log(2)))
    assert bit.stderr == pytest.approx(nats.stderr / (6 * math.log(2)))
    assert (nats.kind, bit.kind, nats.n) == (Kind.EXACT, Kind.EXACT, 1300)
    assert (nats.direction, bit.direction) == ("higher", "lower")


def test_a_bound_below_the_likelihood_is_one_above_the_bits_and_errors_add():
    model = Coins(torch.full(SPACE.shape, 0.5))
    model.kind, model.stderr = Kind.LOWER, 2.0
    nats, bit = measure(metrics["log likelihood"], evalset(bits(900), model=model))
    assert (nats.kind, bit.kind) == (Kind.LOWER, Kind.UPPER)
    assert nats.stderr == pytest.approx(2 / 30)  # every x has the same nats, so 2 / sqrt(900)
    (alone, _) = measure(metrics["log likelihood"], evalset(bits(1), model=Coins(model.chance)))
    assert alone.stderr is None


def test_a_conditional_model_answers_with_its_mixture():
    space = Space(SPACE.shape, levels=2, classes=2)
    chance = torch.stack([torch.full(SPACE.shape, 0.1), torch.full(SPACE.shape, 0.9)])
    real = bits(40, space=space)
    nats, _ = measure(
        metrics["log likelihood"],
        evalset(real, model=Coins(chance, space, conditional=True), space=space),
    )
    ones = real.flatten(1).sum(1)
    each = (0.5 * 0.1**ones * 0.9 ** (6 - ones) + 0.5 * 0.9**ones * 0.1 ** (6 - ones)).log()
    assert nats.value == pytest.approx(each.mean().item(), rel=1e-5)


def test_a_density_has_no_bits_and_an_impossible_example_no_mean():
    space = Space((3,))
    model = Normal(space, Normal.Config())
    real = normal(50, 3)
    (nats,) = measure(metrics["log likelihood"], evalset(real, model=model, space=space))
    each = -(real.square() + math.log(2 * math.pi)).sum(1) / 2
    assert nats.value == pytest.approx(each.mean().item(), rel=1e-6)
    assert "density" in nats.note
    for chance in (0.0, math.nan):
        broken = Coins(torch.full(SPACE.shape, chance))
        for row in measure(metrics["log likelihood"], evalset(bits(50), model=broken)):
            assert row.value is None
            assert row.stderr is None
            assert "not finite" in row.note
    (implicit,) = measure(metrics["log likelihood"], evalset(bits(50)))
    assert "not explicit" in implicit.note


def test_a_parzen_window_is_a_mixture_of_gaussians():
    samples, points = normal(700, 4), normal(600, 4, seed=1)
    kernels = torch.distributions.MultivariateNormal(
        samples.double()[None], 0.3**2 * torch.eye(4).double()
    )
    truth = kernels.log_prob(points.double()[:, None]).logsumexp(1) - math.log(700)
    assert torch.allclose(parzen(samples, points, 0.3), truth, atol=1e-9)
    far = 1e4 + samples  # a common offset does not cost precision beyond that of the numbers
    assert torch.allclose(parzen(far, 1e4 + points, 0.3), truth, atol=0.05)
    for sigma in (0, -1, math.nan):
        with pytest.raises(UsageError, match="more than 0"):
            parzen(samples, points, sigma)


def test_the_window_finds_a_density_and_its_width_without_the_held_out_part():
    space = Space((2,))
    real, train, made = normal(1500, 2), normal(1500, 2, seed=1), normal(2500, 2, seed=2)
    found = window(real, made, train, space=space)
    entropy = 1 + math.log(2 * math.pi)
    assert found.value == pytest.approx(-entropy, abs=0.1)
    assert found.n == 1500
    assert "legacy" in found.note
    # held-out data a thousand times as wide cannot have chosen this width
    sigma = found.note.split("sigma ")[1].split(":")[0]
    assert f"sigma {sigma}:" in window(1000 * real, made, train, space=space).note


def test_degenerate_samples_have_a_finite_window_and_constant_data_none():
    space = Space((2,))
    real = normal(30, 2)
    assert math.isfinite(window(real, torch.zeros(30, 2), space=space).value)
    assert math.isfinite(window(real, real, space=space).value)  # copies: the narrowest width
    assert math.isfinite(window(real[:2], real[2:4], space=space).stderr)
    assert math.isfinite(window(bits(20), torch.zeros(20, *SPACE.shape)).value)
    alone = window(real[:1], real[1:2], train=real, space=space)
    assert math.isfinite(alone.value)
    assert alone.stderr is None
    constant = window(real, real, torch.ones(30, 2), space=space)
    assert constant.value is None
    assert "all the same" in constant.note
