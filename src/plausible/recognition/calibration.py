"""A posterior that means what it says: one temperature, fitted on data the classifier did not learn from."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.errors import UsageError

_RANGE = (math.log(1e-2), math.log(1e4))  # of log T


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
    from scipy.optimize import minimize_scalar

    if not len(y):
        raise UsageError("a temperature is fitted on labelled data, and there are none")
    log_p = log_posterior.double().cpu()
    says = ~log_p.isnan().any(1)  # what is impossible under every class says nothing
    log_p, y = log_p[says], y.cpu()[says]
    if (log_p.argmax(1) == y).all():
        return Tempered(classifier, 1.0)
    rows = torch.arange(len(y))

    def cost(log_t: float) -> float:
        tempered = (log_p / math.exp(log_t)).log_softmax(1)  # (N, classes)
        return -tempered[rows, y].mean().item()

    best = minimize_scalar(cost, bounds=_RANGE, method="bounded", options={"xatol": 1e-5})
    return Tempered(classifier, math.exp(best.x))
