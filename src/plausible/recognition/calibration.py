"""A posterior that means what it says: one temperature, fitted on data the classifier did not learn from."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.errors import UsageError
from plausible.evaluation.metrics.classification import Predictions, log_loss, reliability_diagram

_RANGE = (math.log(1e-2), math.log(1e4))  # of log T


@dataclass(frozen=True)
class Calibration:
    """What the labels of n examples that nothing was learned from say of a posterior.

    temperature        that makes them most probable.
    prior              p(y) that the posterior is by, (classes,).
    log_loss           in nats and ...
    calibration_error  ... ECE, before and after: after is of each half at the temperature of the other.
    """

    temperature: float
    prior: tuple[float, ...]
    n: int
    log_loss: tuple[float, float]
    calibration_error: tuple[float, float]

    @property
    def log_prior(self) -> Tensor:
        """log p(y), (classes,) float64."""
        return torch.tensor(self.prior, dtype=torch.float64).log()

    def __str__(self) -> str:
        (loss, cured), (error, less) = self.log_loss, self.calibration_error
        return (
            f"calibrated on {self.n:,} validation example{'s' * (self.n != 1)}: at the temperature {self.temperature:.3g} "
            f"the log loss goes from {loss:.3g} to {cured:.3g} nats, the calibration error from {error:.1%} to {less:.1%}"
        )


@dataclass(frozen=True)
class Tempered:
    """p_T(y | x) proportional to p(y | x)^(1 / T): the order of the classes is that of p(y | x).

    T > 1 takes certainty away.  Naive Bayes needs much of it, because it counts every pixel as new
    evidence.
    """

    classifier: Classifier
    temperature: float

    def log_posterior(self, x: Tensor) -> Tensor:
        """log p_T(y | x) in nats: x (N, *shape) in data units -> (N, classes)."""
        return (self.classifier.log_posterior(x) / self.temperature).log_softmax(1)


def temper(classifier: Classifier, log_posterior: Tensor, y: Tensor) -> Tempered:
    """The classifier at the temperature that makes labels it did not learn from most probable.

    T = argmin -sum_n log p_T(y_n | x_n), convex in 1 / T.  Where every label is the most probable one there is
    no such T, a smaller one being always better: then T = 1, because no label asks for another.
    log_posterior (N, classes): what the classifier says of x_n; y (N,).
    Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599.
    """
    return Tempered(classifier, best_temperature(log_posterior, y))


def best_temperature(log_posterior: Tensor, y: Tensor) -> float:
    """The temperature of ``temper``: log p(y | x_n) (N, classes), y (N,)."""
    from scipy.optimize import minimize_scalar

    if not len(y):
        raise UsageError("a temperature is fitted on labelled data, and there are none")
    said = _said(log_posterior, y)
    if said.correct.all():
        return 1.0

    def cost(log_t: float) -> float:
        return float(log_loss(_at(said, math.exp(log_t))).mean())

    best = minimize_scalar(cost, bounds=_RANGE, method="bounded", options={"xatol": 1e-5})
    return math.exp(best.x)


def calibration_of(
    log_posterior: Tensor, y: Tensor, log_prior: Tensor | None = None
) -> Calibration:
    """The best temperature of a posterior (N, classes) by labels y (N,), and what it does.

    log_prior  p(y) of the posterior, (classes,); where nobody knows it that of the labels (each counted half a time more).
    """
    temperature, said = best_temperature(log_posterior, y), _said(log_posterior, y)
    if log_prior is None:
        counts = torch.bincount(y.cpu(), minlength=log_posterior.shape[1]).double() + 0.5
        log_prior = (counts / counts.sum()).log()
    prior = tuple(log_prior.double().cpu().exp().tolist())
    if not len(said.y):  # no class makes any example possible
        nan = (math.nan, math.nan)
        return Calibration(temperature, prior, 0, nan, nan)
    after = _by_halves(said) if len(said.y) > 1 else _at(said, temperature)
    return Calibration(
        temperature,
        prior,
        len(y),
        (float(log_loss(said).mean()), float(log_loss(after).mean())),
        (reliability_diagram(said).error, reliability_diagram(after).error),
    )


def _said(log_posterior: Tensor, y: Tensor) -> Predictions:
    """Of examples that are possible under some class: others say nothing."""
    log_p = log_posterior.double().cpu()
    says = ~log_p.isnan().any(1)
    return Predictions(log_p[says], y.cpu()[says])


def _at(said: Predictions, temperature: float) -> Predictions:
    return Predictions((said.log_posterior / temperature).log_softmax(1), said.y)


def _by_halves(said: Predictions) -> Predictions:
    """Every second example at the temperature of the others."""
    log_p = said.log_posterior.clone()
    for half in (0, 1):
        own, other = slice(half, None, 2), slice(1 - half, None, 2)
        t = best_temperature(said.log_posterior[other], said.y[other])
        log_p[own] = (log_p[own] / t).log_softmax(1)
    return Predictions(log_p, said.y)
