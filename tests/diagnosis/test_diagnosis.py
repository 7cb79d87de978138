"""Findings: a check fires where its defect was made, with its evidence and the flag to change, and not elsewhere."""

import copy
import json
from dataclasses import replace
from importlib import import_module

import pytest
import torch
from tests.conftest import make_data

from plausible import RBM, VAE, NaiveBayes, Settings, Space, train
from plausible.core.errors import NotDefined
from plausible.core.finding import check
from plausible.core.likelihood import LogProb
from plausible.core.model import Explicit
from plausible.data.part import Part
from plausible.diagnosis import Finding, Severity, checks, merge_findings, run_checks
from plausible.diagnosis.overfitting import likelihood_gap
from plausible.diagnosis.remedies import with_remedy
from plausible.evaluation.metrics.inference import infer_posterior, iwae_bounds, latent_gain
from plausible.models.rbm.normalising_constant import normalising_constant

SPACE = Space((1, 4, 4), 2, 2)


def striped(n=900):
    """Images of four equal rows: four bits, which z can carry."""
    data = make_data(SPACE, n)
    for part in (data.train, data.validation, data.heldout):
        part.values[:] = part.values[:, :, :1]
    return data


def trained(data, steps=300, **config):
    torch.manual_seed(0)
    model = VAE(
        data.space, VAE.Config(**{"width": 32, "latent": 4, "dropout": 0.0, "batch": 64, **config})
    )
    training = train(model, data, Settings(steps=steps))
    list(training)
    return training.averaged


@pytest.fixture(scope="module")
def healthy():
    data = striped()
    return trained(data), data


@pytest.fixture(scope="module")
def collapsed():
    data = striped()
    return trained(data, 100, beta=100.0), data


def named(found):
    return {finding.phenomenon: finding for finding in found}


@pytest.mark.slow
def test_a_healthy_model_has_nothing_but_fine_findings_and_notes(healthy):
    found = run_checks(*healthy)
    assert {finding.severity for finding in found} <= {Severity.FINE, Severity.NOTE}
    assert set(named(found)) == {"posterior collapse", "bound gap", "overfitting"}


@pytest.mark.slow
def test_a_collapsed_posterior_is_a_failure_with_the_flags_that_help(collapsed):
    found = run_checks(*collapsed)
    worst = found[0]
    assert (worst.phenomenon, worst.severity) == ("posterior collapse", Severity.FAILURE)
    assert worst.evidence["KL, nats"] < 0.1
    assert worst.evidence["coordinates used"] == 0
    assert "--warm-up" in worst.remedy
    assert "--free-bits" in worst.remedy


@pytest.mark.slow
def test_an_encoder_that_says_nothing_is_the_same_failure(healthy):
    model, data = copy.deepcopy(healthy)
    with torch.no_grad():  # the decoder would listen, but q is the prior whatever it sees
        model.net.heads[0].weight.zero_()
        model.net.heads[0].bias.zero_()
    finding = named(run_checks(model, data))["posterior collapse"]
    assert finding.evidence["KL, nats"] == pytest.approx(0, abs=1e-6)
    assert finding.severity is Severity.FAILURE


def test_the_gain_of_its_own_z_is_large_where_z_is_used_and_nothing_where_it_is_not(
    healthy, collapsed
):
    generator = torch.Generator().manual_seed(0)
    for (model, data), large in ((healthy, True), (collapsed, False)):
        posterior = infer_posterior(model, data.heldout, generator)
        assert posterior.z.shape == (len(data.heldout), 4)
        nats = latent_gain(model, data.heldout, posterior).mean()
        assert (nats > 3) == large
        assert bool(posterior.active.any()) == large


def test_bounds_rise_with_the_draws(healthy):
    model, data = healthy
    found = iwae_bounds(model, data.heldout.rows(slice(0, 20)), (1, 50, 1000), torch.Generator())
    means = [found[k].nats.mean().item() for k in (1, 50, 1000)]
    assert means[0] < means[1] <= means[2] + 0.05


@pytest.mark.slow
def test_a_posterior_far_from_the_truth_is_a_loose_bound(healthy):
    model, data = healthy
    broken = copy.deepcopy(model)
    with torch.no_grad():
        broken.net.heads[0].bias[:4] += 2.0  # every mean of q is off by two
    finding = named(run_checks(broken, data))["bound gap"]
    assert finding.severity is Severity.WARNING
    assert "--importance" in finding.remedy
    assert finding.evidence["5,000 draws - ELBO, nats"] > 5
    assert named(run_checks(model, data))["bound gap"].severity is Severity.FINE


class ByHeart(Explicit):
    """Says 0 nats of what it has learned and -100 of everything else."""

    name = "by-heart"

    def __init__(self, space, known):
        super().__init__(space, self.Config())
        self.known = known

    def _log_prob(self, x, y, samples, generator):
        same = (x.flatten(1)[:, None] == self.known.flatten(1)).all(2).any(1)
        return LogProb(torch.where(same, 0.0, -100.0))

    def _noise(self, n, generator):
        return torch.rand(n, *self.space.shape, generator=generator)

    def _sample(self, noise, y):
        return noise.round()


def test_learning_by_heart_is_seen_in_the_likelihood():
    space = Space((1, 6, 6), 2)
    data = make_data(space, 300)
    finding = likelihood_gap(ByHeart(space, data.train.as_batch().x), data, 0)
    assert finding.severity is Severity.WARNING
    assert finding.evidence["difference"] == pytest.approx(100)
    honest = NaiveBayes(space, NaiveBayes.Config(conditional=False))
    training = train(honest, make_data(space, 3000), Settings())
    list(training)
    assert likelihood_gap(training.averaged, training.data, 0).severity is Severity.FINE


class Broken(ByHeart):
    """Says that what it does not know is impossible."""

    def _log_prob(self, x, y, samples, generator):
        said = super()._log_prob(x, y, samples, generator)
        return LogProb(torch.where(said.nats < 0, -torch.inf, said.nats))


def test_a_probability_that_is_not_finite_is_never_fine_and_stays_json():
    space = Space((1, 6, 6), 2)
    data = make_data(space, 300)
    finding = likelihood_gap(Broken(space, data.train.as_batch().x), data, 0)
    assert finding.severity is Severity.WARNING
    assert "not finite" in finding.claim
    json.loads(json.dumps(finding.to_dict(), allow_nan=False))


def test_pixels_that_are_drawn_at_each_use_are_drawn_once_for_a_diagnosis():
    grey = make_data(Space((1, 4, 4), 256), 300)
    space = Space((1, 4, 4), 2)
    parts = {
        name: Part(getattr(grey, name).values, None, space, grey_levels=256)
        for name in ("train", "validation", "heldout")
    }
    data = replace(grey, space=space, **parts)
    torch.manual_seed(0)
    model = VAE(space, VAE.Config(width=16, latent=4)).eval()
    a, b = (run_checks(model, data) for _ in "ab")
    assert [f.to_dict() for f in a] == [f.to_dict() for f in b]


def test_a_part_in_the_order_of_its_classes_is_looked_at_all_over():
    part = make_data(SPACE, 900).heldout
    assert set(part.rows(part.y.argsort()).every_kth(32).y.tolist()) == {0, 1}


def test_a_model_is_asked_only_what_its_verbs_answer():
    data = make_data(Space((1, 2, 2), 2, 2), 300)
    training = train(NaiveBayes(data.space), data, Settings())
    list(training)
    assert set(named(run_checks(training.averaged, data))) == {"overfitting"}


def test_a_check_that_cannot_answer_becomes_a_note():
    before = dict(checks)

    @check()
    def impossible_question(model, data, seed):
        raise NotDefined("there is nothing to look at")

    try:
        data = make_data(Space((1, 2, 2), 2, 2), 90)
        found = named(run_checks(NaiveBayes(data.space), data))
        assert found["impossible question"].severity is Severity.NOTE
        assert "nothing to look at" in found["impossible question"].claim
    finally:
        checks.clear()
        checks.update(before)


def test_the_worst_comes_first_and_the_same_seed_finds_the_same(collapsed):
    model, data = collapsed
    found = run_checks(model, data)
    order = [list(Severity).index(finding.severity) for finding in found]
    assert order == sorted(order, reverse=True)
    assert [f.to_dict() for f in found] == [f.to_dict() for f in run_checks(model, data)]


def test_a_finding_is_plain_json():
    finding = Finding("x", Severity.WARNING, "claim", {"n": 3, "what": "words"}, "--flag")
    assert json.loads(json.dumps(finding.to_dict())) == {
        "phenomenon": "x",
        "severity": "warning",
        "claim": "claim",
        "evidence": {"n": 3, "what": "words"},
        "remedy": "--flag",
    }


def large_machine(scale):
    """24 x 24 units, too many to enumerate, with weights of this size."""
    torch.manual_seed(0)
    space = Space((1, 4, 6), 2)
    model = RBM(space, RBM.Config(hidden=24))
    data = make_data(space, 300)
    model.setup(data.train)
    with torch.no_grad():
        model.weight.normal_(0, scale)
    return model, data


@pytest.mark.slow
def test_a_constant_that_walks_agree_on_is_fine_and_one_that_few_of_them_know_is_not(monkeypatch):
    monkeypatch.setattr(import_module(normalising_constant.__module__), "_POINTS", 12)
    known = normalising_constant(*large_machine(0.3), 0)
    assert known.severity is Severity.FINE
    assert known.evidence["walks that count"] > 64
    assert known.evidence["difference"] == pytest.approx(0, abs=0.3)
    model, data = large_machine(12.0)
    unknown = with_remedy(normalising_constant(model, data, 0), model)
    assert unknown.severity is Severity.WARNING
    assert "--gibbs" in unknown.remedy
    torch.manual_seed(0)
    small = RBM(SPACE, RBM.Config(hidden=4))
    data = make_data(SPACE, 100)
    small.setup(data.train)
    assert "exact" in normalising_constant(small, data, 0).claim


def test_an_alarm_is_told_beside_a_check_of_its_name_only_if_it_is_worse():
    def found(name, severity):
        return Finding(name, severity, "a claim")

    logged = [found("a", Severity.FAILURE), found("b", Severity.FINE), found("c", Severity.WARNING)]
    checked = [found("a", Severity.WARNING), found("b", Severity.FINE)]
    assert [(f.phenomenon, f.severity) for f in merge_findings(logged, checked)] == [
        ("a", Severity.FAILURE), ("c", Severity.WARNING), ("a", Severity.WARNING), ("b", Severity.FINE),
    ]  # fmt: skip
