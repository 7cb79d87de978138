"""Chow's rule: answer, or say that the answer would be a guess."""

from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.errors import UsageError

REJECTED = -1


def decide(classifier: Classifier, x: Tensor, reject_cost: float) -> Tensor:
    """argmax_y p(y | x), or REJECTED where 1 - max_y p(y | x) exceeds the cost of not answering.

    The rule of least expected cost when a wrong answer costs 1 and none costs ``reject_cost``.
    x (N, *shape) in data units -> (N,) labels; from cost 1 - 1 / classes on nothing is rejected.
    Raises ``UsageError`` unless the cost lies between 0 and 1.
    Source: Chow 1970, doi:10.1109/TIT.1970.1054406.
    """
    return chow_rule(classifier.log_posterior(x), reject_cost)


def chow_rule(log_posterior: Tensor, reject_cost: float) -> Tensor:
    """The same of a posterior, log p(y | x) (N, classes) -> (N,)."""
    if not 0 <= reject_cost <= 1:
        raise UsageError(f"the cost of not answering must lie between 0 and 1, not {reject_cost}")
    best, label = log_posterior.max(1)  # (N, classes) -> (N,)
    return label.where(1 - best.exp() <= reject_cost, REJECTED)
