"""Whether log Z, and with it log p(x), can be believed."""

import math

import torch

from plausible.core.finding import Finding, Severity, check
from plausible.core.model import Explicit, Model
from plausible.data.part import Data
from plausible.models.rbm.capabilities import EnergyBased

_POINTS = 48
_FEW = 10  # walks that count, below which their mean is that of a few


@check(needs=EnergyBased)
def normalising_constant(model: Model, data: Data, seed: int) -> Finding:
    """log Z from both sides: annealing forwards makes log p(x) too high, backwards from x too low.

    The truth lies between where both walk well.  Where they are the wrong way round there are modes that no
    walk finds, and neither is to be believed.
    Source: Burda et al. 2015, https://arxiv.org/abs/1412.8566.
    """
    assert isinstance(model, EnergyBased)
    assert isinstance(model, Explicit)
    name, estimates = "normalising constant", model.log_partition()
    if all(math.isinf(each.ess) for each in estimates):
        return Finding(name, Severity.FINE, "log Z is exact, a sum over all states of one side")
    batch = data.heldout.every_kth(_POINTS).as_batch()
    x, y = batch.x[:_POINTS], None
    if model.conditional and batch.y is not None:
        y = batch.y[:_POINTS]
    generators = [torch.Generator().manual_seed(seed) for _ in "ab"]
    high = model.log_prob(x, y, generator=generators[0]).nats.double().cpu()
    low = model.raise_lower_bound(x, y, generators[1]).cpu()
    apart = high - low  # (n,)
    sigma = max(each.error for each in estimates)
    ess = min(each.ess for each in estimates)
    error = math.hypot(apart.std().item() / math.sqrt(len(apart)), sigma)
    evidence: dict[str, float | str] = {
        "optimistic log p(x) in nats, ≈": high.mean().item(),
        "conservative log p(x) in nats, ≥": low.mean().item(),
        "difference": apart.mean().item(),
        "3 standard errors of log Z": 3 * sigma,
        "walks that count": ess,
        "held-out examples": len(x),
    }
    if apart.mean() < -3 * error:
        return Finding(
            name,
            Severity.WARNING,
            "the two estimates of log p(x) are the wrong way round: the machine has modes that no walk finds",
            evidence,
        )
    if ess < _FEW:
        return Finding(
            name,
            Severity.WARNING,
            f"only {ess:.0f} of the walks that estimate log Z count: log p(x) may be too high by more than its error",
            evidence,
        )
    return Finding(
        name,
        Severity.FINE,
        "log p(x) lies between two estimates that agree as they should",
        evidence,
    )
