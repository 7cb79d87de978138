"""Another p(y) than that of the training part: given, or estimated from the inputs that are asked about."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.errors import UsageError

_STEPS, _CLOSE = 10_000, 1e-8
_SUM = 0.02  # by which shares that are written with a few digits may miss 1
_NAMED = 12  # classes whose names a sentence holds


@dataclass(frozen=True)
class PriorEstimate:
    """p(y) of n inputs without labels, (classes,), with the standard error of each share.

    steps  of expectation maximisation that it took.
    """

    prior: tuple[float, ...]
    stderr: tuple[float, ...]
    n: int
    steps: int


def shifted(log_posterior: Tensor, log_prior: Tensor, other: Tensor) -> Tensor:
    """log p'(y | x) = log p(y | x) + log p'(y) - log p(y) + const: where p(x | y) is the same, but classes are not as frequent.

    log_posterior (N, classes), log_prior and other (classes,).
    """
    change = (other - log_prior).to(log_posterior)
    change = change.masked_fill(torch.isneginf(log_prior).to(change.device), -torch.inf)
    return (log_posterior + change).log_softmax(1)


def estimate_prior(
    log_posterior: Tensor, log_prior: Tensor, *, asked: int | None = None
) -> PriorEstimate:
    """argmax_q sum_n log sum_y q(y) p(y | x_n) / p(y), by expectation maximisation: the p(y) of inputs without labels.

    log_posterior  calibrated log p(y | x), (n, classes), by the prior p(y) that log_prior, (classes,), has.
    asked          of how many inputs these are those that are not implausible, for the sentence that refuses.
    Standard errors are those of maximum likelihood, from the curvature there.
    Raises ``UsageError`` for fewer inputs than classes, of which no prior can be estimated.
    Source: Saerens, Latinne and Decaestecker 2002, doi:10.1162/089976602753284446.
    """
    log_p, prior = log_posterior.double().cpu(), log_prior.double().cpu()
    log_p = log_p[~log_p.isnan().any(1)]
    n, classes = log_p.shape
    if n < classes:
        raise UsageError(
            f"a prior of {classes} classes cannot be estimated from {n} input{'s' * (n != 1)}"
            f"{_left_of(n, asked)}: ask about at least {classes} at once, or give the prior"
        )
    ratio = (log_p - prior).nan_to_num(-torch.inf).masked_fill(torch.isneginf(prior), -torch.inf)
    likelihood = (
        ratio - ratio.amax(1, keepdim=True)
    ).exp()  # p(x | y) up to a factor, (n, classes)
    q, moved, step = prior.exp(), math.inf, 0
    while moved > _CLOSE and step < _STEPS:
        joint = likelihood * q
        new = (joint / joint.sum(1, keepdim=True)).mean(0)
        moved, q, step = float((new - q).abs().max()), new, step + 1
    return PriorEstimate(tuple(q.tolist()), tuple(_errors(likelihood, q).tolist()), n, step)


def _left_of(n: int, asked: int | None) -> str:
    return "" if asked in (None, n) else f" (of {asked}, the others are implausible)"


def _errors(likelihood: Tensor, q: Tensor) -> Tensor:
    """Standard errors of shares q (classes,) that sum to 1, by the information in likelihoods (n, classes).

    Of a share of 0, which cannot be less, how far above it may be.
    """
    slope = likelihood / (likelihood @ q)[:, None]
    fall = len(slope) - slope.sum(0)  # of log likelihood where a share of 0 grows
    bend = (slope - 1).square().sum(0)
    errors = torch.minimum(1 / fall.clamp(min=1e-12), bend.clamp(min=1e-12).rsqrt()).clamp(max=1)
    inside = (q > 1e-6).nonzero()[:, 0]
    if len(inside) < 2:
        return errors
    free = torch.eye(len(inside), dtype=q.dtype)[:, 1:]  # the first takes what the others give
    free[0] = -1.0
    reduced = slope[:, inside] @ free  # (n, inside - 1)
    covariance = free @ torch.linalg.pinv(reduced.T @ reduced, hermitian=True) @ free.T
    errors[inside] = covariance.diagonal().clamp(min=0).sqrt()
    return errors


def log_prior_of(values: Sequence[float], class_names: Sequence[str]) -> Tensor:
    """log p(y) of shares that sum to 1, or of counts, one for each class: (classes,) float64.

    Raises ``UsageError`` for another number of them, or what is neither.
    """
    classes = len(class_names)
    names = ", ".join(class_names[:_NAMED]) + ", ..." * (classes > _NAMED)
    told = ",".join(f"{value:g}" for value in values)
    if len(values) != classes:
        raise UsageError(
            f"--prior {told} has {len(values)} number{'s' * (len(values) != 1)}, and there are {classes} classes ({names}): "
            f"give one for each, in this order"
        )
    total = math.fsum(values)
    counts = all(float(value).is_integer() for value in values) and total >= 1
    if not all(math.isfinite(v) and v >= 0 for v in values) or not (
        counts or abs(total - 1) <= _SUM
    ):
        raise UsageError(
            f"--prior {told} sums to {total:g}: give shares of the {classes} classes ({names}) that sum to 1, or counts"
        )
    return torch.tensor([float(value) / total for value in values], dtype=torch.float64).log()
