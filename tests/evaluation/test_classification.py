"""Accuracy, calibration, risk and novelty, by hand."""

from dataclasses import replace

import pytest
import torch
from sklearn.metrics import roc_auc_score
from tests.conftest import make_data

import plausible
from plausible.core.space import Space
from plausible.evaluation.metrics.classification import (
    Predictions,
    classification_measures,
    log_loss,
    reliability_diagram,
    risk_coverage_curve,
)
from plausible.models import LogisticRegression, NaiveBayes
from plausible.recognition.roc import auroc, fpr_at_tpr
from plausible.tasks import evaluate
from plausible.training import Settings, train

PREDICTIONS = Predictions(
    torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.3, 0.7]]).double().log(),
    torch.tensor([0, 1, 1, 1]),
)


def test_by_hand():
    assert PREDICTIONS.correct.tolist() == [True, True, False, True]
    assert log_loss(PREDICTIONS).exp().tolist() == pytest.approx(
        [1 / 0.9, 1 / 0.6, 1 / 0.2, 1 / 0.7]
    )
    found = {measure.name: measure for measure in classification_measures(PREDICTIONS)}
    assert found["accuracy"].value == 0.75
    assert found["accuracy"].stderr == pytest.approx((0.75 * 0.25 / 4) ** 0.5)
    coverage, risk = risk_coverage_curve(PREDICTIONS)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert risk.tolist() == pytest.approx([0, 0.5, 1 / 3, 0.25])
    assert found["risk over coverage"].value == pytest.approx((0 + 0.5 + 1 / 3 + 0.25) / 4)


def test_reliability_in_two_bins():
    bins = reliability_diagram(PREDICTIONS, 2)
    assert bins.confidence.tolist() == pytest.approx([0.65, 0.85])
    assert bins.accuracy.tolist() == [1.0, 0.5]
    assert bins.error == pytest.approx((0.35 + 0.35) / 2)


def test_a_calibrated_classifier_has_almost_no_calibration_error():
    generator = torch.Generator().manual_seed(0)
    p = torch.randn(20_000, 4, generator=generator).double().softmax(1)
    y = torch.multinomial(p, 1, generator=generator)[:, 0]
    assert reliability_diagram(Predictions(p.log(), y)).error < 0.02
    assert reliability_diagram(Predictions((3 * p.log()).log_softmax(1), y)).error > 0.1


def test_auroc_is_scikit_learns_also_with_ties():
    generator = torch.Generator().manual_seed(0)
    inside = torch.randint(0, 6, (300,), generator=generator)
    outside = torch.randint(2, 9, (200,), generator=generator)
    truth = torch.cat([torch.zeros(300), torch.ones(200)])
    peer = roc_auc_score(truth, torch.cat([inside, outside]))
    assert auroc(inside, outside) == pytest.approx(peer)
    assert auroc(torch.zeros(3), torch.ones(2)) == 1


def test_accepted_at_95_percent():
    inside = torch.arange(100.0)
    assert fpr_at_tpr(inside, torch.tensor([94.0, 94.5, 1000.0])) == pytest.approx(1 / 3)
    assert fpr_at_tpr(inside, inside) == pytest.approx(0.95)


@pytest.mark.slow
def test_a_report_of_a_classifier_and_of_bayes_rule(tmp_path):
    data = replace(make_data(Space((1, 8, 8), 17, 3), 300), class_names=("a", "b", "c"))
    training = train(LogisticRegression(data.space), data, Settings(steps=2))
    list(training)
    report = plausible.evaluate(training.averaged, data)
    names = [measure.name for measure, _ in report.measures]
    assert names == [
        "accuracy", "log loss", "calibration error", "risk over coverage",
        "log loss, calibrated", "calibration error, calibrated",
    ]  # fmt: skip
    # random labels: a temperature can only say that nothing is known
    assert report["log loss, calibrated"].value == pytest.approx(
        torch.tensor(3.0).log().item(), abs=0.1
    )
    assert report.predictions is not None
    training = train(NaiveBayes(data.space), data, Settings())
    list(training)
    report = evaluate(training.averaged, data)
    assert report["log likelihood"].kind.sign == "="
    assert 0 <= report["accuracy"].value <= 1
