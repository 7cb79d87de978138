"""What a classifier says of data it has not seen: is it right, does it know when, may it be asked to pass?"""

from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.model import Examples
from plausible.evaluation.measure import Measure

_CHUNK = 1024
_BINS = 15


def predict(classifier: Classifier, x: Tensor) -> Tensor:
    """argmax_y p(y | x): x (N, *shape) in data units -> (N,) labels."""
    return torch.cat([classifier.log_posterior(part).argmax(1) for part in x.split(_CHUNK)]).cpu()


def accuracy(classifier: Classifier, part: Examples) -> float:
    """The share of a labelled part of the data whose most probable label is the true one."""
    said = answers(classifier, part)
    return said.right.double().mean().item()


def counts(labels: Tensor, classes: int) -> Tensor:
    """How often each class occurs among labels (N,): (classes,) int64."""
    return torch.bincount(labels.cpu(), minlength=classes)


@dataclass(frozen=True)
class Answers:
    """What a classifier said of N examples: log p(y | x) (N, classes), and their labels y (N,)."""

    log_posterior: Tensor
    y: Tensor

    @property
    def right(self) -> Tensor:
        """Whether the most probable label is the true one, (N,) bool."""
        return self.log_posterior.argmax(1) == self.y

    @property
    def confidence(self) -> Tensor:
        """max_y p(y | x), (N,)."""
        return self.log_posterior.amax(1).exp()


def answers(classifier: Classifier, part: Examples) -> Answers:
    """What a classifier says of a labelled part of the data, on the CPU in float64."""
    said, labels = [], []
    for rows in torch.arange(len(part)).split(_CHUNK):
        batch = part.batch(rows)
        assert batch.y is not None
        said.append(classifier.log_posterior(batch.x).cpu().double())
        labels.append(batch.y.cpu())
    return Answers(torch.cat(said), torch.cat(labels))


def log_loss(said: Answers) -> Tensor:
    """-log p(y_n | x_n) of each example in nats, (N,)."""
    return -said.log_posterior[torch.arange(len(said.y)), said.y]


@dataclass(frozen=True)
class Reliability:
    """Answers in bins of equal numbers by their confidence: (bins,) each."""

    confidence: Tensor
    accuracy: Tensor
    count: Tensor

    @property
    def error(self) -> float:
        """sum_b (n_b / n) |accuracy_b - confidence_b|: the expected calibration error."""
        gap = (self.accuracy - self.confidence).abs()
        return float((gap * self.count).sum() / self.count.sum())


def reliability(said: Answers, bins: int = _BINS) -> Reliability:
    """How often answers given with about the same confidence are right.

    Bins hold equal numbers, because most answers of a good classifier are nearly certain.
    Source: Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602; Nguyen and O'Connor 2015 (equal numbers).
    """
    order = said.confidence.argsort(stable=True)
    parts = [rows for rows in order.tensor_split(min(bins, len(order))) if len(rows)]
    return Reliability(
        torch.stack([said.confidence[rows].mean() for rows in parts]),
        torch.stack([said.right[rows].double().mean() for rows in parts]),
        torch.tensor([len(rows) for rows in parts]),
    )


def risk_coverage(said: Answers) -> tuple[Tensor, Tensor]:
    """(coverage, risk), (N,) each: of the n surest answers, the share n / N and how many are wrong.

    Source: El-Yaniv and Wiener 2010, https://jmlr.org/papers/v11/el-yaniv10a.html.
    """
    order = said.confidence.argsort(descending=True, stable=True)
    wrong = (~said.right[order]).double().cumsum(0)
    taken = torch.arange(1, len(order) + 1, dtype=torch.float64)
    return taken / len(order), wrong / taken


def classification(said: Answers) -> list[Measure]:
    """Accuracy, log loss, calibration error and the area under the risk-coverage curve."""
    n, right, loss = len(said.y), said.right.double().mean().item(), log_loss(said)
    error = (right * (1 - right) / n) ** 0.5
    spread = (loss.var() / n).sqrt().item() if n > 1 else None
    area = risk_coverage(said)[1].mean().item()
    return [
        Measure("accuracy", right, error, n=n, direction="higher"),
        Measure("log loss", loss.mean().item(), spread, n=n, unit="nats"),
        Measure("calibration error", reliability(said).error, n=n),
        Measure("risk over coverage", area, n=n),
    ]
