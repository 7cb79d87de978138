"""log p(x | y) of every class at once, with what chance may have done to each and to their differences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from plausible.core.draws import Draws
from plausible.core.likelihood import Kind, LogProb, Reference

CLOSE = 2.0  # standard errors that the best class must be ahead of the second


@dataclass(frozen=True)
class ClassLikelihoods:
    """log p(x | y) of N inputs under each class, in nats.

    nats         (N, classes) float64.
    stderr       the Monte Carlo error of each by itself, (N, classes); None where there is none, or nobody knows.
    paired       that of its difference to the class that is most probable, (N, classes), 0 at that class: where all
                 classes have the same draws much less than both errors together.
    shared       an error that is common to all inputs, of each class, (classes,), as of an estimated log Z.
    evaluations  pairs of an input and a class that the model was asked for, each as often as there were draws.
    """

    nats: Tensor
    kind: Kind = Kind.EXACT
    reference: Reference = Reference.MASS
    stderr: Tensor | None = None
    paired: Tensor | None = None
    shared: Tensor | None = None
    evaluations: int = 0

    def evidence(self, log_prior: Tensor) -> LogProb:
        """log p(x) = log sum_y p(x | y) p(y), (N,): its kind kept, its error that of draws which all classes share."""
        joint = self.nats + log_prior  # (N, classes)
        posterior = joint.softmax(1)
        stderr = None if self.stderr is None else (posterior * self.stderr).nansum(1)
        shared = 0.0 if self.shared is None else float(self.shared.max())
        return LogProb(joint.logsumexp(1), self.kind, self.reference, stderr, shared)

    def of_class(self, label: int) -> LogProb:
        """log p(x | y) of one class, (N,)."""
        stderr = None if self.stderr is None else self.stderr[:, label]
        shared = 0.0 if self.shared is None else float(self.shared[label])
        return LogProb(self.nats[:, label], self.kind, self.reference, stderr, shared)


def of_log_probs(parts: Sequence[LogProb], log_prior: Tensor) -> ClassLikelihoods:
    """From log p(x | y) class by class, (N,) each, whose errors know nothing of each other."""
    first, kind = parts[0], parts[0].kind
    for part in parts[1:]:
        kind = kind.combined(part.kind)
    nats = torch.stack([part.nats.double() for part in parts], 1)  # (N, classes)
    stderr = shared = None
    if any(part.stderr is not None for part in parts):
        zero = torch.zeros_like(first.nats)
        stderr = torch.stack([zero if p.stderr is None else p.stderr for p in parts], 1).double()
    if any(part.shared for part in parts):
        shared = nats.new_tensor([part.shared for part in parts])
    found = ClassLikelihoods(nats, kind, first.reference, stderr, None, shared, nats.numel())
    if stderr is None and shared is None:
        return found
    each = torch.hypot(*(nats.new_zeros(()) if e is None else e for e in (stderr, shared)))
    best = (nats + log_prior).argmax(1, keepdim=True)  # (N, 1)
    each = each.expand_as(nats)
    paired = torch.hypot(each, each.gather(1, best)).scatter(1, best, 0.0)
    return replace(found, paired=paired)


def of_draws(draws: Draws, n: int, log_prior: Tensor) -> ClassLikelihoods:
    """From draws that all classes share, of every pair of n inputs and each class, class by class: (k, classes n)."""
    nats = draws.nats.view(-1, n).T  # (N, classes)
    best = (nats + log_prior).argmax(1)
    deviations = draws.deviations.unflatten(1, (-1, n)).transpose(1, 2)  # (k, N, classes)
    stderr = paired = None
    if len(draws.values) > 1:
        stderr = draws.error_of(deviations)
        paired = draws.error_of(deviations - deviations[:, torch.arange(n), best, None])
    return ClassLikelihoods(
        nats, draws.kind, draws.reference, stderr, paired, None, draws.values.numel()
    )


def lead(log_posterior: Tensor, paired: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """By how many nats the best class leads the one that comes nearest in standard errors, that error, and which it is.

    log_posterior  (N, classes).
    paired         errors of differences to one of the classes, (N, classes), where that one has 0; to another class
                   the error is at most the sum of both.
    Returns (N,) each.
    """
    best = log_posterior.argmax(1, keepdim=True)  # (N, 1)
    ahead = log_posterior.gather(1, best) - log_posterior
    error = (paired + paired.gather(1, best)).nan_to_num(torch.inf)
    surely = (ahead / error.clamp(min=1e-12)).scatter(1, best, torch.inf).nan_to_num(torch.inf)
    second = surely.argmin(1, keepdim=True)
    return ahead.gather(1, second)[:, 0], error.gather(1, second)[:, 0], second[:, 0]


def best_error(log_posterior: Tensor, paired: Tensor) -> Tensor:
    """The Monte Carlo error of log p(y | x) of the best class, to first order at most sum_y p(y | x) e_y: (N,)."""
    best = log_posterior.argmax(1, keepdim=True)
    error = (paired + paired.gather(1, best)).scatter(1, best, 0.0)
    return (log_posterior.exp() * error).nansum(1)
