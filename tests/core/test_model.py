"""The parts of the capabilities that every family inherits, on the smallest explicit model there is."""

import math
from dataclasses import dataclass

import pytest
import torch
from tests.conftest import make_data

from plausible.core.device import device_generator
from plausible.core.errors import UsageError
from plausible.core.examples import batches
from plausible.core.likelihood import LogProb, Reference
from plausible.core.model import Explicit
from plausible.core.space import Space


class Coins(Explicit):
    """Independent pixels, p(x_i = 1 | y) = s(w_yi)."""

    name, place = "coins", ("test",)

    @dataclass(frozen=True)
    class Config(Explicit.Config):
        conditional: bool = False

    def __init__(self, space, config=None):
        super().__init__(space, config or self.Config())
        self.logits = torch.nn.Parameter(torch.randn(space.classes or 1, *space.shape))

    def _weights(self, y, n):
        return self.logits[y] if y is not None else self.logits[:1].expand(n, *self.space.shape)

    def _log_prob(self, x, y, samples, generator):
        a = self._weights(y, len(x))
        return LogProb(-torch.nn.functional.softplus(a * (1 - 2 * x)).flatten(1).sum(1))

    def _noise(self, n, generator):
        return torch.rand(n, *self.space.shape, generator=generator)

    def _sample(self, noise, y):
        return (noise < self._weights(y, len(noise)).sigmoid()).float()


class Normal(Explicit):
    """N(0, I) in standard units."""

    name, place = "normal", ("test",)

    def _log_prob(self, x, y, samples, generator):
        nats = -(x.square() + math.log(2 * math.pi)).flatten(1).sum(1) / 2
        return LogProb(nats, reference=Reference.DENSITY)

    def _noise(self, n, generator):
        return torch.randn(n, *self.space.shape, generator=generator)

    def _sample(self, noise, y):
        return self.restore(noise)


SPACE = Space((1, 2, 2), levels=2, classes=3)


@pytest.fixture
def conditional():
    torch.manual_seed(0)
    model = Coins(SPACE, Coins.Config(conditional=True))
    model.setup(make_data(SPACE).train)
    return model


def test_the_marginal_over_labels_sums_to_one_and_so_does_each_condition(conditional):
    points = SPACE.enumerate()
    for y in (None, 0, 1, 2):
        assert conditional.log_prob(points, y).nats.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_frequencies_of_samples_match_log_prob(conditional):
    points, n = SPACE.enumerate(), 40_000
    drawn = conditional.sample(n, generator=torch.Generator().manual_seed(1))
    place = (drawn.x.flatten(1) @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long()
    seen = torch.bincount(place, minlength=16) / n
    truth = conditional.log_prob(points).nats.exp()
    expected = (truth * (1 - truth) / n * 2 / math.pi).sqrt().sum() / 2
    assert (seen - truth).abs().sum() / 2 < 2 * expected


def test_labels_come_from_the_prior_of_the_training_part(conditional):
    assert conditional.log_prior.exp().sum().item() == pytest.approx(1)
    y = conditional.sample(3000, generator=torch.Generator().manual_seed(0)).y
    assert torch.bincount(y, minlength=3).min() > 900


def test_draws_do_not_depend_on_how_memory_splits_the_batch(conditional):
    few = conditional.sample(1500, generator=torch.Generator().manual_seed(2))
    noise = conditional._noise(4, None)
    assert len(noise) == 4
    generator = torch.Generator().manual_seed(2)
    y = conditional.labels(1500, None, generator)
    whole = conditional._sample(conditional._noise(1500, generator), y)
    assert torch.equal(few.x, whole)


@pytest.mark.parametrize(
    ("n", "y", "sentence"),
    [
        (0, None, "at least 1"),
        (2, 3, "label 3 is out of range: choose 0 to 2"),
        (2, -1, "label -1"),
    ],
)
def test_impossible_requests_are_refused(conditional, n, y, sentence):
    with pytest.raises(UsageError, match=sentence):
        conditional.sample(n, y)


def test_labels_on_an_unconditional_model_and_conditions_without_labels_are_refused():
    with pytest.raises(UsageError, match="takes no label"):
        Coins(SPACE).sample(1, 0)
    with pytest.raises(UsageError, match="have none"):
        Coins(Space((2,), 2), Coins.Config(conditional=True))


def test_a_density_is_in_data_units():
    data = make_data(Space((2,)), n=300)
    model = Normal(data.space, Normal.Config())
    model.setup(data.train)
    x = data.train.as_batch().x
    mean, std = x.mean(0), x.std(0, correction=0)
    truth = torch.distributions.Normal(mean, std).log_prob(x).sum(1)
    assert torch.allclose(model.log_prob(x).nats, truth, atol=1e-4)
    assert torch.allclose(model.restore(model.standardise(x)), x, atol=1e-5)


class Seeded(Coins):
    """Coins whose pixels are all drawn at once, where the model is."""

    sampled_jointly = True

    def _sample_jointly(self, n, y, generator):
        u = torch.rand(n, *self.space.shape, generator=generator, device=generator.device)
        return (u < self._weights(y, n).sigmoid()).float()


def test_samples_that_are_made_jointly_follow_the_generator_too():
    model = Seeded(SPACE, Coins.Config(conditional=True))
    a, b, c = (
        model.sample(1500, 1, generator=torch.Generator().manual_seed(k)).x for k in (0, 0, 1)
    )
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    with pytest.raises(UsageError, match="no z"):
        model.sample(2, truncation=0.5)


def test_a_conditional_model_asks_for_labels_in_one_sentence(conditional):
    with pytest.raises(UsageError, match="this coins is conditional: give the labels of x"):
        conditional.labels_of(torch.zeros(2, 1, 2, 2), None)
    assert conditional.labels_of(torch.zeros(2, 1, 2, 2), 1).tolist() == [1, 1]
    assert Coins(SPACE).labels_of(torch.zeros(2, 1, 2, 2), None) is None


def test_examples_come_in_batches_and_a_generator_on_a_device_follows_ours():
    train = make_data(SPACE).train
    parts = list(batches(train, 5))
    assert torch.equal(torch.cat([part.x for part in parts]), train.as_batch().x)
    assert {len(part) for part in parts[:-1]} == {5}
    device = torch.device("cpu")
    one, other = (device_generator(device, torch.Generator().manual_seed(3)) for _ in "ab")
    assert one.initial_seed() == other.initial_seed()
