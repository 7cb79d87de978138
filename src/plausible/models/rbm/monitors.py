"""What can go wrong with a Boltzmann machine alone, and what helps it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from plausible.core.finding import Finding, Severity, check, probe
from plausible.core.model import Explicit, Model
from plausible.core.reading import CONSTANT_UNITS, Reading
from plausible.core.remedy import Remedy
from plausible.core.snapshot import Snapshot
from plausible.data.part import Data
from plausible.models.rbm.capabilities import EnergyBased, Hidden

_POINTS = 48
_FEW = 10  # walks that count, below which their mean is that of a few
_NEVER = 0.01  # probability of a unit that says the same of every input


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
        "optimistic log p(x), nats": high.mean().item(),
        "conservative log p(x), nats": low.mean().item(),
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


@probe(needs=Hidden)
def constant_units(snapshot: Snapshot) -> Mapping[Reading, float]:
    """Share of the hidden units that are on for none, or for all, of the examples of the validation part."""
    model, batch = snapshot.model, snapshot.validation
    assert isinstance(model, Hidden)
    with torch.no_grad():
        on = model.hidden(batch.x, snapshot.labels(batch))  # (N, H)
    same = (on < _NEVER).all(0) | (on > 1 - _NEVER).all(0)  # (H,)
    return {CONSTANT_UNITS: same.double().mean().item()}


def _can_be_tempered(config: Any) -> bool:
    return config.persistent and config.temperatures < 10 and not config.fast_weights


_LESS_STUCK = (
    Remedy("--persistent", lambda config: not config.persistent, Severity.NOTE),
    Remedy("--temperatures 10", _can_be_tempered, Severity.NOTE),
    Remedy(
        "--fast-weights (in the place of --temperatures)",
        lambda config: _can_be_tempered(config) and config.temperatures == 1,
        Severity.NOTE,
    ),
    Remedy("--gibbs 5", lambda config: config.gibbs < 5, Severity.NOTE),
)

REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "chain mixing": _LESS_STUCK,
    "normalising constant": (*_LESS_STUCK, Remedy("a smaller --lr")),
    "overfitting": (Remedy("a smaller --hidden"), Remedy("a larger --decay")),
}
"""{phenomenon: what helps}."""
