"""Mixtures of all classes that learn together so that Bayes' rule is right."""

import pytest
import torch

import plausible
from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.part import Data, Part
from plausible.models import GaussianMixture, PerClass
from plausible.models.mixture import hybrid
from plausible.recognition.bayes import BayesClassifier


def _two_classes(n: int = 600) -> Data:
    """A class whose Gaussian is drawn out by a far cluster, so that maximum likelihood puts the border in a wrong place."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(n) % 2
    x = torch.randn(n, 2, generator=generator)
    x[y == 1, 0] += 2.5
    far = (y == 0) & (torch.arange(n) % 10 == 0)
    x[far, 0] -= 30
    part = Part(x, y, Space((2,), classes=2))
    return Data("two classes", part.space, part, part, part)


def _learned(data: Data, **choices: float) -> PerClass:
    config = GaussianMixture.Config(components=1, **choices)
    model = PerClass(data.space, lambda single: GaussianMixture(single, config))
    training = plausible.train(model, data, plausible.Settings(seed=0))
    for _ in training:
        pass
    return training.averaged


def _log_loss(model: PerClass, part: Part) -> float:
    said = BayesClassifier(model).log_posterior(part.values)
    return torch.nn.functional.nll_loss(said, part.y).item()


def test_bayes_rule_gets_better_and_each_density_still_integrates_to_one():
    data = _two_classes()
    alone, together = _learned(data), _learned(data, discriminative=30.0)
    assert _log_loss(alone, data.train) > 0.33
    assert _log_loss(together, data.train) < 0.3  # the truth has 0.25
    axis = torch.linspace(-90, 60, 1501)
    other = torch.linspace(-12, 12, 241)
    grid = torch.cartesian_prod(axis, other)  # (G, 2)
    cell = (axis[1] - axis[0]) * (other[1] - other[0])
    for label in (0, 1):
        nats = together.log_prob(grid, torch.full((len(grid),), label)).nats
        assert (nats.exp().sum() * cell).item() == pytest.approx(1, abs=1e-3)


def test_what_is_moved_says_the_same_as_the_mixtures_it_is_put_into():
    data = _two_classes(200)
    config = GaussianMixture.Config(components=2, ensemble=2)
    model = PerClass(data.space, lambda single: GaussianMixture(single, config))
    for _ in plausible.train(model, data, plausible.Settings(seed=0, steps=3)):
        pass
    mixtures = list(model.models)
    moved = hybrid._Moved(mixtures)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in moved.parameters:
            weights += 0.2 * torch.randn(weights.shape, generator=generator)
        z, rest = hybrid._coordinates(mixtures, data.train)
        of_each = moved.log_prob(z)  # (N, C, E)
        said = of_each.logsumexp(2) - torch.tensor(2.0).log() + rest.T
        moved.settle(mixtures)
        for label, mixture in enumerate(mixtures):
            nats = mixture.log_prob(data.train.values).nats
            assert torch.allclose(said[:, label].double(), nats, atol=1e-3)


def test_what_is_learned_does_not_depend_on_what_of_a_column_is_added_to_later_ones():
    data = _two_classes()
    mix = torch.tensor([[3.0, -1.0], [0.0, 0.02]])
    part = Part(data.train.values @ mix, data.train.y, data.space)
    mixed = Data("mixed", data.space, part, part, part)
    small = {"discriminative": 30.0, "variance_floor": 1e-9}
    plain, other = _learned(data, **small), _learned(mixed, **small)
    said = BayesClassifier(plain).log_posterior(data.train.values)
    again = BayesClassifier(other).log_posterior(part.values)
    assert torch.allclose(said.exp(), again.exp(), atol=1e-3)


def test_the_same_seed_learns_the_same_and_a_weight_of_none_changes_nothing():
    data = _two_classes(200)
    first, second = (_learned(data, discriminative=30.0).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    without, zero = _learned(data).state_dict(), _learned(data, discriminative=0.0).state_dict()
    assert all(torch.equal(without[name], zero[name]) for name in without)


def test_two_classes_in_the_same_units_do_not_stand_for_a_third(monkeypatch):
    """Units are those of each class, and of two they may be equal by chance."""
    data = _two_classes(60)
    values = torch.cat([data.train.values, 5 + 3 * data.train.values[:30]])
    values[1:60:2] = values[0:60:2]
    part = Part(values, torch.cat([data.train.y, torch.full((30,), 2)]), Space((2,), classes=3))
    model = _learned(Data("three", part.space, part, part, part))
    z, rest = hybrid._coordinates(list(model.models), part)
    assert torch.equal(z[0], z[1])
    looked_at = []
    monkeypatch.setattr(hybrid, "_coordinates", lambda some, _: looked_at.append(some) or (z, rest))
    learning = model.models[0].fit_classes(model.models, model.log_prior, part)
    assert next(learning, None) is None  # nothing was asked for
    config = GaussianMixture.Config(components=1, discriminative=1.0)
    again = PerClass(part.space, lambda single: GaussianMixture(single, config))
    for _ in plausible.train(again, Data("three", part.space, part, part, part)):
        pass
    assert [len(some) for some in looked_at] == [3]


def test_the_default_budget_lasts_for_both_parts_however_many_examples_there_are(monkeypatch):
    monkeypatch.setattr(hybrid, "_FEWEST", 1_000)
    monkeypatch.setattr(hybrid, "_STEPS", 8)
    data = _two_classes(40)
    config = GaussianMixture.Config(components=1, discriminative=1.0)
    model = PerClass(data.space, lambda single: GaussianMixture(single, config))
    steps = [step.values()["mixture"] for step in plausible.train(model, data)]
    assert sum("-log p(y | x)" in step for step in steps) == 8


def test_it_needs_a_model_for_each_class():
    data = _two_classes(40)
    config = GaussianMixture.Config(discriminative=1.0)
    single = Data("one", Space((2,)), *(Part(data.train.values, None, Space((2,))),) * 3)
    with pytest.raises(UsageError, match="--per-class"):
        list(plausible.train(GaussianMixture(single.space, config), single))


def test_images_of_a_hybrid_have_fewer_components_and_more_axes():
    data = plausible.load("digits")
    config = GaussianMixture.Config(discriminative=30.0, principal=8, ensemble=2)
    model = PerClass(data.space, lambda single: GaussianMixture(single, config))
    steps = [step.values()["mixture"] for step in plausible.train(model, data)]
    together = [step["-log p(y | x)"] for step in steps if "-log p(y | x)" in step]
    assert together[-1] < 0.7 * together[0]
    assert GaussianMixture(Space((1, 28, 28), levels=256), GaussianMixture.Config(discriminative=1.0)).dims == 80  # fmt: skip
