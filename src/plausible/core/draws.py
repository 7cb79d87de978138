"""What each draw of an estimate of log p says: so that two estimates by the same draws can be compared draw by draw."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Generator, Tensor

from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.model import Explicit


@dataclass(frozen=True)
class Draws:
    """k values for each of P pairs of an x and a label; draws of the same x are the same for every label.

    values      (k, P): log w_i, where log p is log (1/k) sum_i w_i, or values in nats whose mean it is.
    weights     whether they are log w_i.
    stratified  whether neighbours are draws from neighbouring parts, as noise levels in their order are.
    """

    values: Tensor
    kind: Kind
    reference: Reference
    weights: bool = False
    stratified: bool = False

    @property
    def nats(self) -> Tensor:
        """The estimate of log p(x | y) by all draws, (P,) float64."""
        values = self.values.double()
        return values.logsumexp(0) - math.log(len(values)) if self.weights else values.mean(0)

    @property
    def deviations(self) -> Tensor:
        """By how much each draw moves the estimate to first order: (k, P) float64, whose mean over draws is 0.

        v_i - mean v, or w_i / mean w - 1.
        """
        values = self.values.double()
        if not self.weights:
            return values - values.mean(0)
        return len(values) * values.softmax(0) - 1

    def error_of(self, deviations: Tensor) -> Tensor:
        """The standard error of a mean over draws: (k, ...) -> (...); NaN of a single draw, which has none.

        Stratified draws vary less around their neighbours than around the mean of all, and it is the former that
        counts: sum_i (d_i+1 - d_i)^2 / 2 k (k - 1), which is as right for independent ones (Wolter 2007, Introduction
        to Variance Estimation, chapter 8).
        """
        k = len(deviations)
        if k == 1:
            return torch.full_like(deviations[0], torch.nan)
        if self.stratified:
            steps: Tensor = deviations[1:] - deviations[:-1]
            return (steps.square().sum(0) / (2 * k * (k - 1))).sqrt()
        return deviations.std(0) / math.sqrt(k)

    @property
    def log_prob(self) -> LogProb:
        """The estimate with its error, (P,)."""
        stderr = None if len(self.values) == 1 else self.error_of(self.deviations)
        return LogProb(self.nats, self.kind, self.reference, stderr)

    def __add__(self, nats: Tensor | float) -> "Draws":
        return Draws(self.values + nats, self.kind, self.reference, self.weights, self.stratified)


@runtime_checkable
class Drawn(Protocol):
    """Estimates log p(x | y) by draws, and can make the same ones for every label."""

    @property
    def mean_draws(self) -> int:
        """So many draws by default whose plain mean log p is, so that a few of them can rule out a class; otherwise 0."""
        ...

    def class_draws(
        self, x: Tensor, rows: Tensor, y: Tensor, samples: int | None, generator: Generator | None
    ) -> Draws | None:
        """``shared_draws`` of x in the units of ``_log_prob``, on the device of the model; None where nothing is drawn."""
        ...


@runtime_checkable
class DrawnTogether(Protocol):
    """Says of the models of all classes at once what each draw says, where they look at x through the same coordinates."""

    def class_draws_of(
        self,
        models: Sequence[Explicit],
        x: Tensor,
        rows: Tensor,
        y: Tensor,
        samples: int | None,
        generator: Generator | None,
    ) -> Draws | None:
        """``class_draws`` where pair i is of models[y[i]]; None where the models have too little in common."""
        ...


@torch.no_grad()
def shared_draws(
    model: Explicit,
    x: Tensor,
    rows: Tensor,
    y: Tensor,
    *,
    samples: int | None = None,
    generator: Generator | None = None,
) -> Draws | None:
    """What each draw says of log p(x | y), for P pairs of an x and a label: draws of the same x are the same.

    x        (N, *shape) in data units.
    rows, y  (P,) each: pair i is x[rows[i]] and label y[i].  An unconditional model takes no notice of y.
    samples  draws per x; None is the family's default.
    None where the family draws nothing, or does not say.
    """
    if not isinstance(model, Drawn):
        return None
    device = model.offset.device
    x, rows, y = x.to(device), rows.to(device), y.to(device)
    with model.evaluating():
        units = x if model.space.levels else model.standardise(x)
        draws = model.class_draws(units, rows, y, samples, generator)
    return draws if draws is None or model.space.levels else draws + -model.scale.log().sum()


def mean_draws(model: Explicit) -> int:
    """``Drawn.mean_draws`` of a model, 0 of one that draws nothing."""
    return model.mean_draws if isinstance(model, Drawn) else 0
