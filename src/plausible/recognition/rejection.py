"""Chow's rule: answer, or say that the answer would be a guess."""

from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.errors import UsageError

REJECTED = -1


def decide(
    classifier: Classifier, x: Tensor, reject_cost: float, costs: Tensor | None = None
) -> Tensor:
    """argmax_y p(y | x), or REJECTED where 1 - max_y p(y | x) exceeds the cost of not answering.

    The rule of least expected cost when a wrong answer costs 1 and none costs ``reject_cost``.
    costs  (classes, classes): what it costs to say a (row) where y (column) is true, in the place of 0 and 1; then the a
           with the least sum_y costs[a, y] p(y | x) is said, or nothing where that exceeds ``reject_cost``.
    x (N, *shape) in data units -> (N,) labels; from cost 1 - 1 / classes on nothing is rejected.
    Raises ``UsageError`` unless the cost lies between 0 and 1, or with ``costs`` is at least 0, and for other costs.
    Source: Chow 1970, doi:10.1109/TIT.1970.1054406.
    """
    return chow_rule(classifier.log_posterior(x), reject_cost, costs)


def chow_rule(log_posterior: Tensor, reject_cost: float, costs: Tensor | None = None) -> Tensor:
    """The same of a posterior, log p(y | x) (N, classes) -> (N,)."""
    if costs is not None:
        return _cheapest(log_posterior, reject_cost, costs)
    if not 0 <= reject_cost <= 1:
        raise UsageError(f"the cost of not answering must lie between 0 and 1, not {reject_cost}")
    best, label = log_posterior.max(1)  # (N, classes) -> (N,)
    return label.where(1 - best.exp() <= reject_cost, REJECTED)


def _cheapest(log_posterior: Tensor, reject_cost: float, costs: Tensor) -> Tensor:
    classes = log_posterior.shape[1]
    if costs.shape != (classes, classes) or not bool((costs >= 0).all() and costs.isfinite().all()):
        raise UsageError(
            f"the costs of answers to {classes} classes are {classes} x {classes} numbers of at least 0, not "
            f"{' x '.join(map(str, costs.shape))} with {costs.min():g} as the least"
        )
    if not reject_cost >= 0:
        raise UsageError(f"the cost of not answering must be at least 0, not {reject_cost}")
    expected = log_posterior.exp() @ costs.to(log_posterior).T  # (N, answers)
    least, answer = expected.min(1)
    return answer.where(least <= reject_cost, REJECTED)
