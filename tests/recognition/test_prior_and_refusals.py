"""Calibration that is kept, another prior, costs, and p-values of many inputs: with truths that are known."""

import math
from dataclasses import replace

import pytest
import torch
from tests.conftest import make_data

import plausible
from plausible import Conformal, PerClass, Recogniser, Settings, Space, decide, train
from plausible.core.errors import UsageError
from plausible.evaluation.metrics.classification import Predictions, risk_coverage
from plausible.models import GaussianMixture, LogisticRegression, NaiveBayes
from plausible.recognition.calibration import calibration_of
from plausible.recognition.calibration_set import CalibrationSet
from plausible.recognition.conformal import (
    class_conditional,
    false_discoveries,
    fewest_discoveries,
    full_conformal,
    scope,
)
from plausible.recognition.novelty import NoveltyInput, novelties
from plausible.recognition.prior_shift import estimate_prior, log_prior_of, shifted
from plausible.recognition.recogniser import Threshold
from plausible.recognition.rejection import REJECTED, chow_rule

MEANS = torch.tensor([-1.0, 0.5, 2.0]).double()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def gaussians(n, prior, seed):
    """x ~ N(m_y, 1), y ~ prior, and log p(x | y) + const: (n,), (n, 3)."""
    y = torch.multinomial(torch.tensor(prior), n, replacement=True, generator=seeded(seed))
    x = MEANS[y] + torch.randn(n, generator=seeded(seed + 10_000)).double()
    return y, -(x[:, None] - MEANS).square() / 2


EVEN = torch.full((3,), 1 / 3).double().log()


def test_a_prior_that_has_shifted_is_found_with_its_error():
    prior = [0.7, 0.2, 0.1]
    found = []
    for seed in range(40):
        _, log_p = gaussians(600, prior, seed)
        found.append(estimate_prior(log_p.log_softmax(1), EVEN))
    shares = torch.tensor([one.prior for one in found])
    said = torch.tensor([one.stderr for one in found]).mean(0)
    spread = shares.std(0)
    assert (shares.mean(0) - torch.tensor(prior)).abs().max() < 4 * spread.max() / 40**0.5
    assert (said / spread).tolist() == pytest.approx([1] * 3, abs=0.35)
    assert shares.sum(1).tolist() == pytest.approx([1] * 40)


def test_a_class_that_is_absent_gets_a_share_of_about_nothing():
    _, log_p = gaussians(2000, [0.5, 0.5, 0.0], 3)
    found = estimate_prior(log_p.log_softmax(1), EVEN)
    assert found.prior[2] < 3 * found.stderr[2] + 0.01
    assert 0 < found.stderr[2] < 0.05
    assert found.prior[0] == pytest.approx(0.5, abs=4 * found.stderr[0])
    with pytest.raises(UsageError, match="cannot be estimated from 2 inputs"):
        estimate_prior(log_p[:2].log_softmax(1), EVEN)
    with pytest.raises(
        UsageError, match=r"from 2 inputs \(of 7, the others are implausible\): ask"
    ):
        estimate_prior(log_p[:2].log_softmax(1), EVEN, asked=7)


def test_a_posterior_by_another_prior_is_bayes_rule_with_it():
    _, log_p = gaussians(50, [0.4, 0.3, 0.3], 1)
    other = torch.tensor([0.8, 0.2, 0.0]).double().log()
    told = shifted(log_p.log_softmax(1), EVEN, other)
    assert torch.allclose(told.exp(), (log_p + other).softmax(1))
    assert torch.equal(told[:, 2].exp(), torch.zeros(50).double())
    back = shifted(told, other, EVEN)  # what was impossible stays so
    assert torch.isneginf(back[:, 2]).all()
    assert not back.isnan().any()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((0.5, 0.5), "has 2 numbers, and there are 3 classes (a, b, c)"),
        ((0.5, 0.2, 0.2), "sums to 0.9"),
        ((1.5, -0.5, 0.0), "sums to 1"),
        ((0.0, 0.0, 0.0), "sums to 0"),
        ((math.nan, 0.5, 0.5), "sums to nan"),
    ],
)
def test_what_is_no_prior_is_refused(values, sentence):
    with pytest.raises(UsageError) as refusal:
        log_prior_of(values, ("a", "b", "c"))
    assert sentence in str(refusal.value)


def test_a_prior_is_shares_or_counts():
    for values in ((0.25, 0.25, 0.5), (1, 1, 2), (100.0, 100.0, 200.0)):
        assert log_prior_of(values, "abc").exp().tolist() == pytest.approx([0.25, 0.25, 0.5])
    assert log_prior_of((0.33, 0.33, 0.33), "abc").exp().tolist() == pytest.approx([1 / 3] * 3)
    assert log_prior_of((1, 0, 0), "abc").exp().tolist() == [1, 0, 0]


def test_costs_decide_which_answer_is_cheapest():
    class Fixed:
        def log_posterior(self, x):
            return x

    p = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]]).log()
    costs = torch.tensor([[0.0, 10.0], [1.0, 0.0]])  # to miss the second class is ten times as bad
    assert decide(Fixed(), p, 1.0, costs).tolist() == [1, 1, 1]
    assert decide(Fixed(), p, 0.5, costs).tolist() == [REJECTED, REJECTED, 1]
    usual = 1 - torch.eye(2)
    for reject_cost in (0.05, 0.3, 0.45, 0.9):
        assert torch.equal(chow_rule(p, reject_cost, usual), chow_rule(p, reject_cost))
    for wrong in (torch.eye(3), torch.tensor([[0.0, -1.0], [1.0, 0.0]])):
        with pytest.raises(UsageError, match="2 x 2 numbers of at least 0"):
            decide(Fixed(), p, 1.0, wrong)


def test_the_share_of_false_discoveries_keeps_its_rate_also_where_examples_are_shared():
    rates, found = [], []
    for seed in range(200):
        scores = torch.randn(100 + 40, generator=seeded(seed))
        odd = 4 + torch.randn(10, generator=seeded(seed + 5000))
        p = Conformal(scores[:100])(torch.cat([scores[100:], odd]))
        refused = false_discoveries(p, 0.2)
        rates.append(float(refused[:40].sum() / refused.sum().clamp(min=1)))
        found.append(float(refused[40:].double().mean()))
    rate = torch.tensor(rates)
    assert (
        rate.mean() <= 0.2 * 40 / 50 + 3 * rate.std() / 200**0.5
    )  # the rate times the share of good ones
    assert rate.mean() > 0.05
    assert sum(found) / 200 > 0.8


def test_false_discoveries_by_hand():
    p = torch.tensor([0.01, 0.04, 0.03, 0.5])
    assert false_discoveries(p, 0.05).tolist() == [True, False, False, False]
    assert false_discoveries(p, 0.06).tolist() == [True, True, True, False]
    assert not len(false_discoveries(p[:0], 0.1))
    with pytest.raises(UsageError, match="between 0 and 1"):
        false_discoveries(p, 1.5)


def test_what_can_be_said_is_said_before():
    assert "87 validation examples, so no p-value is below 1/88 = 0.012" in scope(87)
    assert fewest_discoveries(99, 10, 0.1) is None
    assert "unless at least 2 of them" in fewest_discoveries(87, 10, 0.1)
    assert "that takes 9 validation examples, and there are 5" in fewest_discoveries(5, 10, 0.1)


def test_each_class_has_a_threshold_of_its_own():
    """One class is five times as wide: by a common threshold nearly all that is refused is of that class."""
    width = torch.tensor([1.0, 5.0])

    def drawn(n, seed):
        y = torch.arange(n) % 2
        x = width[y] * torch.randn(n, generator=seeded(seed)) + 40.0 * y
        log_p = -((x[:, None] - torch.tensor([0.0, 40.0])) / width).square() / 2 - width.log()
        return y, NoveltyInput(log_p.logsumexp(1).double()), log_p.double()

    score, level, alarms, common = novelties["likelihood"], 0.1, [], []
    for seed in range(30):
        y, usual, log_p = drawn(200, seed)
        of, fresh, log_q = drawn(60, 500 + seed)
        p = class_conditional(score, (usual, log_p), y, (fresh, log_q)).amax(1)
        alarms.append([(p[of == k] <= level).double().mean() for k in (0, 1)])
        p = full_conformal(score, usual, fresh)
        common.append([(p[of == k] <= level).double().mean() for k in (0, 1)])
    rate = torch.tensor(alarms)
    assert (rate.mean(0) <= level + 3 * rate.std(0) / 30**0.5).all()
    assert rate.mean(0).min() > 0.05
    assert torch.tensor(common).mean(0)[0] < 0.02


def test_a_calibrated_posterior_asks_for_no_temperature_and_an_exaggerated_one_for_its_own():
    p = torch.randn(3000, 4, generator=seeded()).double().log_softmax(1)
    y = torch.multinomial(p.exp(), 1, generator=seeded(1))[:, 0]
    right, wrong = calibration_of(p, y), calibration_of((4 * p).log_softmax(1), y)
    assert right.temperature == pytest.approx(1, rel=0.15)
    assert right.calibration_error[0] < 0.03
    assert wrong.temperature == pytest.approx(4 * right.temperature, rel=0.01)
    assert wrong.calibration_error[0] > 0.15
    assert wrong.calibration_error[1] < 0.03
    assert wrong.log_loss[1] < wrong.log_loss[0] - 0.2
    assert right.prior == pytest.approx(
        ((torch.bincount(y).double() + 0.5) / 3002).tolist()
    )  # of a discriminative model nobody knows another
    assert "temperature" in str(wrong)


def test_calibration_is_kept_in_the_file_and_older_files_do_without(tmp_path):
    data = plausible.load("digits")
    model = NaiveBayes(data.space)
    list(train(model, data, Settings()))
    made = Recogniser(model, data, novelty="likelihood")
    (tmp_path / "kept").write_bytes(made.calibration.pack({"weights": "w"}))
    kept = CalibrationSet.unpack(tmp_path / "kept", {"weights": "w"})
    assert kept.labels == made.labels
    older = replace(made.calibration, labels=None)
    (tmp_path / "older").write_bytes(older.pack({"weights": "w"}))
    again = CalibrationSet.unpack(tmp_path / "older", {"weights": "w"})
    assert again.labels is None
    assert Recogniser(model, again, novelty="likelihood").labels == made.labels
    assert made.labels.prior == pytest.approx(model.log_prior.exp().tolist())


@pytest.fixture(scope="module")
def asked():
    data = make_data(Space((2,), None, 2), 400)
    one = GaussianMixture.Config(components=1)
    model = PerClass(data.space, lambda space: GaussianMixture(space, one))
    list(train(model, data, Settings()))
    return Recogniser(model, data)


def test_a_recogniser_takes_a_prior_or_estimates_it(asked):
    part = asked.calibration and make_data(Space((2,), None, 2), 400).heldout
    names = tuple(map(str, range(len(part))))
    usual, sure, told = (
        asked.answers(part, names, 1.0, prior=prior) for prior in (None, (1, 0), "estimated")
    )
    assert {row.label for row in sure.rows} <= {0, REJECTED}
    assert sure.prior is None
    assert sum(told.prior.prior) == pytest.approx(1)
    assert any("prior of these" in note for note in told.notes)
    moved = [a.posterior for a in told.rows] != [a.posterior for a in usual.rows]
    assert moved
    with pytest.raises(UsageError, match="3 numbers, and there are 2 classes"):
        asked.answers(part, names, 1.0, prior=(1, 1, 1))


def test_many_inputs_are_refused_at_a_rate(asked):
    good = make_data(Space((2,), None, 2), 400).heldout
    odd = plausible.Part(torch.full((5, 2), 50.0), None, good.space)
    both = plausible.Part(torch.cat([good.values, odd.values]), None, good.space)
    names = tuple(map(str, range(len(both))))
    found = asked.answers(both, names, 1.0, Threshold(false_discovery_rate=0.1))
    refused = [row.decision == "rejected: implausible" for row in found.rows]
    enough = fewest_discoveries(asked.compared, len(both), 0.1) is None
    assert all(refused[-5:]) == (enough or sum(refused) > 0)
    rows = asked.score(both, names, Threshold(false_discovery_rate=0.1))
    assert [row.implausible for row in rows] == refused
    by_class = asked.answers(both, names, 1.0, Threshold(0.2, class_conditional=True))
    assert all(row.decision == "rejected: implausible" for row in by_class.rows[-5:])
    assert "(the fewest)" in by_class.notes[0]


def test_a_model_without_density_says_that_nothing_is_implausible():
    data = make_data(Space((2,), None, 2), 300)
    model = LogisticRegression(data.space)
    list(train(model, data, Settings()))
    asked = Recogniser(model, data)
    names = tuple(map(str, range(len(data.heldout))))
    found = asked.answers(data.heldout, names)
    assert found.notes == ("a logistic says only p(y | x), so no input can be called implausible",)
    for threshold, flag in (
        (Threshold(false_discovery_rate=0.1), "--false-discovery-rate"),
        (Threshold(class_conditional=True), "--class-conditional"),
    ):
        with pytest.raises(UsageError, match=f"{flag} asks how plausible x is, and a logistic"):
            asked.answers(data.heldout, names, threshold=threshold)


def test_risk_at_a_coverage_has_an_exact_interval():
    sure = torch.linspace(0.99, 0.51, 100).double()
    log_p = torch.stack([sure, 1 - sure], 1).log()
    y = torch.zeros(100).long()
    y[60:70] = 1  # ten wrong answers among the less sure
    half, whole = risk_coverage(Predictions(log_p, y), [0.5, 1.0])
    assert (half.n, half.risk, half.low) == (50, 0, 0)
    assert half.high == pytest.approx(1 - 0.025 ** (1 / 50))
    assert (whole.n, whole.risk) == (100, 0.1)
    assert (whole.low, whole.high) == pytest.approx((0.049, 0.176), abs=1e-3)  # Clopper and Pearson
    with pytest.raises(UsageError, match="coverage"):
        risk_coverage(Predictions(log_p, y), [0.0])
