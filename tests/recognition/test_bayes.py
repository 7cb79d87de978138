"""Bayes' rule, calibration, Chow's rule, novelty."""

import math

import pytest
import torch
from scipy import stats
from tests.conftest import make_data

import plausible
from plausible import BayesClassifier, Conformal, Settings, Space, decide, temper, train
from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind
from plausible.data.mutation import mutated
from plausible.evaluation.metrics.classification import predict_labelled
from plausible.models import GAN, NaiveBayes
from plausible.recognition.code_length import code_length
from plausible.recognition.novelty import NoveltyInput, novelties
from plausible.recognition.rejection import REJECTED


@pytest.fixture(scope="module")
def digits():
    return plausible.load("digits")


@pytest.fixture(scope="module")
def bayes(digits):
    training = train(NaiveBayes(digits.space), digits, Settings())
    list(training)
    return BayesClassifier(training.averaged)


class Fixed:
    """A classifier whose log-posteriors are the first coordinates of x."""

    def log_posterior(self, x):
        return x.log_softmax(1)


def test_bayes_rule_in_numbers(bayes, digits):
    x = digits.heldout.batch(slice(0, 20)).x
    joint = torch.stack([part.nats for part in bayes.log_joint(x)], 1)
    assert torch.allclose(bayes.log_prob(x).nats, joint.logsumexp(1))
    assert torch.allclose(bayes.log_posterior(x), joint - joint.logsumexp(1, keepdim=True))
    assert torch.allclose(bayes.log_prob(x).nats, bayes.model.log_prob(x).nats)
    assert bayes.kind is Kind.EXACT
    assert bayes.log_prob(x).kind is Kind.EXACT


def test_a_given_prior_moves_the_posterior_by_its_ratio(bayes, digits):
    x = digits.heldout.batch(slice(0, 20)).x
    prior = torch.full((10,), 0.05)
    prior[3] = 0.55
    other = BayesClassifier(bayes.model, prior.log())
    before = (
        bayes.log_posterior(x)[:, 3]
        - bayes.log_posterior(x)[:, 5]
        - (bayes.log_prior[3] - bayes.log_prior[5])
    )
    after = other.log_posterior(x)[:, 3] - other.log_posterior(x)[:, 5]
    assert torch.allclose(
        after - before, torch.full((20,), math.log(11.0), dtype=torch.float64), atol=1e-5
    )


def test_bounds_make_a_posterior_an_estimate(bayes, monkeypatch):
    monkeypatch.setattr(type(bayes.model), "kinds", {"log_prob": Kind.LOWER})
    assert BayesClassifier(bayes.model).kind is Kind.ESTIMATE


def test_bayes_needs_a_density_for_each_class(bayes):
    with pytest.raises(UsageError, match="gan"):
        BayesClassifier(GAN(Space((2,), None, 2), GAN.Config(conditional=True)))
    with pytest.raises(UsageError, match="10 classes"):
        BayesClassifier(bayes.model, torch.zeros(3))


def test_the_temperature_is_found_and_changes_no_order():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(4000, 5, generator=generator)
    y = torch.multinomial(scores.softmax(1), 1, generator=generator)[:, 0]  # calibrated at T = 1
    classifier = Fixed()
    tempered = temper(classifier, (7 * scores).log_softmax(1), y)
    assert tempered.temperature == pytest.approx(7, rel=0.05)
    x = 7 * scores[:50]
    order = classifier.log_posterior(x).argsort(1)
    assert torch.equal(tempered.log_posterior(x).argsort(1), order)
    for t in (0.02, 1, 300):
        other = plausible.recognition.Tempered(classifier, t)
        assert torch.equal(other.log_posterior(x.double()).argsort(1), order)


def test_labels_that_are_all_right_ask_for_no_temperature():
    """The smaller T the better, without end: a posterior of 12 examples would be certain of everything."""
    log_posterior = torch.tensor([[0.6, 0.4], [0.3, 0.7]]).log().repeat(6, 1)
    tempered = temper(Fixed(), log_posterior, torch.tensor([0, 1]).repeat(6))
    assert tempered.temperature == 1
    once_wrong = temper(Fixed(), log_posterior, torch.tensor([0, 1] * 5 + [1, 1]))
    assert once_wrong.temperature < 1


def test_naive_bayes_is_overconfident_and_calibration_cures_it(bayes, digits):
    before = predict_labelled(bayes, digits.validation)
    tempered = temper(bayes, before.log_posterior, before.y)
    assert tempered.temperature > 1.5
    raw, cured = (predict_labelled(c, digits.heldout) for c in (bayes, tempered))
    loss = [
        plausible.evaluation.metrics.classification.log_loss(said).mean() for said in (raw, cured)
    ]
    assert loss[1] < loss[0] / 1.5
    assert torch.equal(raw.log_posterior.argmax(1), cured.log_posterior.argmax(1))


def test_chows_rule():
    p = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]]).log()
    classifier = Fixed()
    assert decide(classifier, p, 0.25).tolist() == [0, REJECTED, 1, REJECTED]
    assert decide(classifier, p, 0.5).tolist() == [0, 0, 1, 0]
    assert decide(classifier, p, 0.0).tolist() == [REJECTED] * 4
    for wrong in (-0.1, 1.1, math.nan):
        with pytest.raises(UsageError):
            decide(classifier, p, wrong)


def test_chows_rule_costs_least_on_average():
    generator = torch.Generator().manual_seed(0)
    p = torch.distributions.Dirichlet(torch.ones(3)).sample((20_000,))
    y = torch.multinomial(p, 1, generator=generator)[:, 0]
    best, label = p.max(1)
    cost = 0.4

    def price(threshold):
        taken = best >= threshold
        return (torch.where(taken, (label != y).float(), cost)).mean().item()

    chosen = decide(Fixed(), p.log(), cost)
    ours = torch.where(chosen == REJECTED, cost, (chosen != y).float()).mean().item()
    assert ours <= min(price(t / 20) for t in range(21)) + 0.005


def test_every_novelty_score_is_what_it_says():
    nats = torch.tensor([-10.0, -20.0, -30.0])
    usual = NoveltyInput(torch.tensor([-20.0, -22, -18]), torch.tensor([5.0, 8, 2]))
    code, behind = torch.tensor([5.0, 5.0, 40.0]), torch.tensor([-15.0, -15, -50])
    seen = NoveltyInput(nats, code, behind, usual)
    assert novelties["likelihood"](seen).tolist() == [10, 20, 30]
    assert novelties["ratio"](seen).tolist() == [-5, 5, -20]
    assert novelties["complexity"](seen).tolist() == [5, 15, -10]
    assert novelties["typicality"](seen).tolist() == [10, 0, 10]
    # likelihood of the usual: mean 20, sd 2; complexity: 15, 14, 16, mean 15, sd 1
    assert novelties["either"](seen).tolist() == pytest.approx([-5, 0, 5])
    bare = NoveltyInput(nats)
    for name, missing in {
        "ratio": "ratio",
        "complexity": "complexity",
        "typicality": "right kind",
    }.items():
        with pytest.raises(UsageError, match=missing):
            novelties[name](bare)


def test_conformal_p_values_by_hand():
    p = Conformal(torch.tensor([1.0, 2.0, 3.0, 4.0]))(
        torch.tensor([0.0, 2.0, 2.5, 4.0, 5.0, math.nan])
    )
    assert p.tolist() == [1.0, 4 / 5, 3 / 5, 2 / 5, 1 / 5, 1 / 5]
    with pytest.raises(UsageError):
        Conformal(torch.zeros(0))


def test_conformal_false_alarms_stay_at_their_level(bayes, digits):
    """Calibrated on one half of the held-out digits, asked about the other."""
    x = digits.heldout.as_batch().x
    scores = -bayes.log_prob(x).nats
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    half = len(x) // 2
    p = Conformal(scores[order[:half]])(scores[order[half:]])
    for level in (0.05, 0.1, 0.2, 0.5):
        alarms, n = int((p <= level).sum()), len(p)
        # exchangeable scores: alarms among n are beta-binomial given the calibration set
        k = math.floor(level * (half + 1))
        low, high = stats.betabinom(n, k, half + 1 - k).ppf([0.005, 0.995])
        assert low <= alarms <= high


def test_mutation_changes_the_share_asked_for_and_never_the_heldout_part():
    for space in (Space((1, 8, 8), 17, 2), Space((5,), None, 2)):
        data = make_data(space, 600)
        other = mutated(data, 0.3, seed=1)
        share = (other.train.values != data.train.values).double().mean().item()
        expected = 0.3 * (16 / 17 if space.levels else 1)
        assert share == pytest.approx(expected, abs=0.04)
        assert torch.equal(other.heldout.values, data.heldout.values)
        assert torch.equal(other.train.y, data.train.y)
        assert torch.equal(mutated(data, 0.3, seed=1).train.values, other.train.values)
    with pytest.raises(UsageError, match="mutate"):
        mutated(data, 1.5)


def test_the_code_of_noise_is_long_and_that_of_a_plain_image_short():
    space = Space((3, 16, 16), 256)
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(2, 3, 16, 16, generator=generator)
    plain = torch.zeros(2, 3, 16, 16)
    assert code_length(noise, space).min() > 5 * code_length(plain, space).max()
    assert (
        code_length(noise, space).min() > space.dims * math.log(256) * 0.95
    )  # noise cannot shrink
    binary = Space((1, 16, 16), 2)
    assert code_length(plain[:, :1], binary).shape == (2,)
    with pytest.raises(UsageError):
        code_length(torch.zeros(1, 4), Space((4,)))


def test_a_prior_needs_a_possible_class_and_no_normalisation(bayes):
    even = BayesClassifier(bayes.model, torch.full((10,), -1000.0))
    assert torch.allclose(even.log_prior.exp(), torch.full((10,), 0.1, dtype=torch.float64))
    for nowhere in (torch.full((10,), -torch.inf), torch.tensor([torch.nan] + [0.0] * 9)):
        with pytest.raises(UsageError, match="possible"):
            BayesClassifier(bayes.model, nowhere)
