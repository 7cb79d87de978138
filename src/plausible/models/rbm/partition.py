"""log Z, of each class that of p(x | y): exact if one side is small, otherwise by annealing."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from plausible.models.rbm.annealing import AnnealingPath
from plausible.models.rbm.energy import Energy
from plausible.models.rbm.enumeration import enumerable, log_partition

TEMPERATURES = 4000  # inverse temperatures of the estimate of log Z ...
_CHAINS, _CHAINS_OF_CLASS = 128, 32  # ... and its chains


@dataclass(frozen=True)
class PartitionEstimate:
    """log Z from the weights of annealed chains, how far off, and how many chains count.

    E w is right, so log of its mean is too low in expectation and -F(x) - log Z too high: optimistic.

    log_z  log Z_0 + log (1/M) sum_i w_i, in nats.
    error  its standard error to first order: that of the mean of w over the mean of w.
    ess    effective sample size (sum w)^2 / sum w^2, from 1 to M; infinite where log Z is exact.
    """

    log_z: float
    error: float
    ess: float


def estimate(log_weights: Tensor, log_z0: float) -> PartitionEstimate:
    """log Z of log w (M,), M >= 2, and log Z_0."""
    m, log_w = len(log_weights), log_weights.double()
    ess = 1 / log_w.softmax(0).square().sum().item()
    error = math.sqrt(max(m / ess - 1, 0.0) / (m - 1))
    return PartitionEstimate(log_z0 + log_w.logsumexp(0).item() - math.log(m), error, ess)


@torch.no_grad()
def estimate_log_z(
    energy_given: Callable[[Tensor | None], Energy],
    base: Tensor,
    classes: int,
    chains: int | None,
    steps: int,
) -> list[PartitionEstimate]:
    """log Z of each class, or the one log Z where there are no classes.

    energy_given  the energy of x given labels (N,), with None of every class or of x alone.
    base          (D,), the logits of independent units where annealing begins.
    chains        of each class, at least 2; by default 128, or 32 where there are classes.
    What is drawn is the same every time.
    """
    every = energy_given(None)
    if enumerable(*every.weight.shape):
        exact = log_partition(every)
        return [PartitionEstimate(log_z, 0.0, math.inf) for log_z in exact.reshape(-1).tolist()]
    each = max(2, chains or (_CHAINS_OF_CLASS if classes else _CHAINS))
    count = max(1, classes)
    labels = torch.arange(count, device=base.device).repeat_interleave(each)  # (count each,)
    path = AnnealingPath(energy_given(labels if classes else None), base)
    generator = Generator(base.device).manual_seed(0)
    log_w, _ = path.forward(count * each, steps, generator)
    return [estimate(of_class, path.log_z0) for of_class in log_w.view(count, each)]
