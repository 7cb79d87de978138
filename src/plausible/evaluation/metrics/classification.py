"""What a classifier says of data it has not seen: is it right, does it know when, may it be asked to pass?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.errors import UsageError
from plausible.core.examples import Examples, batches
from plausible.evaluation.measure import Measure

_CHUNK = 1024
_BINS = 15


def predict(classifier: Classifier, x: Tensor) -> Tensor:
    """argmax_y p(y | x): x (N, *shape) in data units -> (N,) labels."""
    return torch.cat([classifier.log_posterior(part).argmax(1) for part in x.split(_CHUNK)]).cpu()


def accuracy(classifier: Classifier, part: Examples) -> float:
    """The share of a labelled part of the data whose most probable label is the true one."""
    return predict_labelled(classifier, part).correct.double().mean().item()


def class_counts(labels: Tensor, classes: int) -> Tensor:
    """How often each class occurs among labels (N,): (classes,) int64."""
    return torch.bincount(labels.cpu(), minlength=classes)


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of N examples: log p(y | x) (N, classes), and their labels y (N,)."""

    log_posterior: Tensor
    y: Tensor

    @property
    def correct(self) -> Tensor:
        """Whether the most probable label is the true one, (N,) bool."""
        return self.log_posterior.argmax(1) == self.y

    @property
    def confidence(self) -> Tensor:
        """max_y p(y | x), (N,)."""
        return self.log_posterior.amax(1).exp()


def predict_labelled(classifier: Classifier, part: Examples) -> Predictions:
    """log p(y | x) of a labelled part of the data, on the CPU in float64."""
    posteriors, labels = [], []
    for batch in batches(part, _CHUNK):
        assert batch.y is not None
        posteriors.append(classifier.log_posterior(batch.x).cpu().double())
        labels.append(batch.y.cpu())
    return Predictions(torch.cat(posteriors), torch.cat(labels))


def log_loss(predictions: Predictions) -> Tensor:
    """-log p(y_n | x_n) of each example in nats, (N,)."""
    return -predictions.log_posterior[torch.arange(len(predictions.y)), predictions.y]


@dataclass(frozen=True)
class ReliabilityDiagram:
    """Predictions in bins of equal numbers by their confidence: (bins,) each."""

    confidence: Tensor
    accuracy: Tensor
    count: Tensor

    @property
    def error(self) -> float:
        """sum_b (n_b / n) |accuracy_b - confidence_b|: the expected calibration error (ECE)."""
        gap = (self.accuracy - self.confidence).abs()
        return float((gap * self.count).sum() / self.count.sum())


def reliability_diagram(predictions: Predictions, bins: int = _BINS) -> ReliabilityDiagram:
    """How often predictions made with about the same confidence are right.

    Bins hold equal numbers, because most predictions of a good classifier are nearly certain.
    Source: Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602; Nguyen and O'Connor 2015 (equal numbers).
    """
    order = predictions.confidence.argsort(stable=True)
    parts = [rows for rows in order.tensor_split(min(bins, len(order))) if len(rows)]
    return ReliabilityDiagram(
        torch.stack([predictions.confidence[rows].mean() for rows in parts]),
        torch.stack([predictions.correct[rows].double().mean() for rows in parts]),
        torch.tensor([len(rows) for rows in parts]),
    )


def risk_coverage_curve(predictions: Predictions) -> tuple[Tensor, Tensor]:
    """(coverage, risk), (N,) each: of the n surest predictions, the share n / N and how many are wrong.

    Source: El-Yaniv and Wiener 2010, https://jmlr.org/papers/v11/el-yaniv10a.html.
    """
    order = predictions.confidence.argsort(descending=True, stable=True)
    wrong = (~predictions.correct[order]).double().cumsum(0)
    taken = torch.arange(1, len(order) + 1, dtype=torch.float64)
    return taken / len(order), wrong / taken


@dataclass(frozen=True)
class RiskAtCoverage:
    """Of the surest answers, so many that they are the share ``coverage`` of all: the share that is wrong, at 95% from low to high."""

    coverage: float
    risk: float
    low: float
    high: float
    n: int


def risk_coverage(
    predictions: Predictions, coverages: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 1.0)
) -> list[RiskAtCoverage]:
    """What a classifier pays for answering more often: points of ``risk_coverage_curve`` with exact binomial intervals.

    Raises ``UsageError`` for a coverage that is not between 0 and 1.
    """
    if wrong := [share for share in coverages if not 0 < share <= 1]:
        raise UsageError(f"a coverage lies between 0 and 1, not {wrong[0]:g}")
    total = len(predictions.y)
    _, risk = risk_coverage_curve(predictions)
    counts = torch.tensor([max(1, math.floor(share * total + 1e-9)) for share in coverages])
    low, high = risk_interval(risk[counts - 1], counts)
    columns = (counts.double() / total, risk[counts - 1], low, high, counts)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [RiskAtCoverage(*row) for row in rows]


def risk_interval(risk: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
    """The exact 95% interval of a share of n, (m,) each: (low, high).

    Source: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404.
    """
    from scipy.stats import beta

    wrong = (risk * n).round()
    low = torch.from_numpy(beta.ppf(0.025, wrong, n - wrong + 1)).nan_to_num(0.0)
    high = torch.from_numpy(beta.ppf(0.975, wrong + 1, n - wrong)).nan_to_num(1.0)
    return low, high


def classification_measures(predictions: Predictions) -> list[Measure]:
    """Accuracy, log loss, calibration error and the area under the risk-coverage curve."""
    n, right, loss = (
        len(predictions.y),
        predictions.correct.double().mean().item(),
        log_loss(predictions),
    )
    error = (right * (1 - right) / n) ** 0.5
    loss_error = (loss.var() / n).sqrt().item() if n > 1 else None
    area = risk_coverage_curve(predictions)[1].mean().item()
    (most,) = risk_coverage(predictions, [0.9])
    surest = (
        f"of the surest 90% {most.risk:.1%} are wrong, at 95% {most.low:.1%} to {most.high:.1%}"
    )
    return [
        Measure("accuracy", right, error, n=n, direction="higher"),
        Measure("log loss", loss.mean().item(), loss_error, n=n, unit="nats"),
        Measure("calibration error", reliability_diagram(predictions).error, n=n),
        Measure("risk over coverage", area, n=n, note=surest),
    ]
