"""Bayes' rule: from p(x | y) and p(y) to p(y | x) and p(x)."""

import torch
from torch import Generator, Tensor

from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind, LogProb
from plausible.core.model import Explicit


class BayesClassifier:
    """p(y | x) = p(x | y) p(y) / sum_y' p(x | y') p(y'), of any explicit model p(x | y).

    log_prior  log p(y), (classes,), normalised here; by default as the training data had it.
    kind       of the posterior: ``=`` where the likelihoods are exact, otherwise ``≈``, because a ratio
               of bounds bounds nothing.
    Raises ``UsageError`` for a model that is not conditional, or a prior of another length.
    Source: Bayes 1763, doi:10.1098/rstl.1763.0053.
    """

    def __init__(
        self, model: Explicit, log_prior: Tensor | None = None, samples: int | None = None
    ):
        if not isinstance(model, Explicit) or not model.conditional:
            raise UsageError(
                f"Bayes' rule needs p(x | y), and this {model.name} is not an explicit conditional model"
            )
        prior = model.log_prior if log_prior is None else torch.as_tensor(log_prior)
        if prior.shape != model.log_prior.shape:
            raise UsageError(
                f"a prior over {model.space.classes} classes has as many entries, not {prior.numel()}"
            )
        self.model, self.samples, self.space = model, samples, model.space
        if not prior.max() > -torch.inf:  # nor is NaN
            raise UsageError(
                f"a log prior needs at least one class that is possible, not {prior.tolist()}"
            )
        self.log_prior = prior.double().log_softmax(0).to(model.offset.device)
        self.kind = Kind.EXACT if model.kinds.get("log_prob") is Kind.EXACT else Kind.ESTIMATE

    def log_joint(self, x: Tensor, generator: Generator | None = None) -> list[LogProb]:
        """[log p(x | y) + log p(y)] for each class y, in nats: x (N, *shape) -> (N,) each."""
        return [
            self.model.log_prob(x, y, samples=self.samples, generator=generator) + self.log_prior[y]
            for y in range(self.space.classes)
        ]

    def log_posterior(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """log p(y | x) in nats: x (N, *shape) in data units -> (N, classes)."""
        joint = torch.stack([part.nats for part in self.log_joint(x, generator)], 1)
        return joint.log_softmax(1)  # (N, classes)

    def log_prob(self, x: Tensor, generator: Generator | None = None) -> LogProb:
        """The evidence log p(x) = log sum_y p(x | y) p(y), its kind kept: (N, *shape) -> (N,)."""
        return LogProb.logsumexp(self.log_joint(x, generator))
