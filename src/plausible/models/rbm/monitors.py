"""What can go wrong with a Boltzmann machine alone, and what helps it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from plausible.core.finding import Finding, Severity, check, probe
from plausible.core.model import Explicit, Model
from plausible.core.reading import CONSTANT_UNITS, Reading
from plausible.core.remedy import Remedy, change, larger, smaller
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


@probe(needs=Hidden)
def constant_units(snapshot: Snapshot) -> Mapping[Reading, float]:
    """Share of the hidden units that are on for none, or for all, of the examples of the validation part."""
    model, batch = snapshot.model, snapshot.validation
    assert isinstance(model, Hidden)
    with torch.no_grad():
        on = model.hidden(batch.x, snapshot.labels(batch))  # (N, H)
    same = (on < _NEVER).all(0) | (on > 1 - _NEVER).all(0)  # (H,)
    return {CONSTANT_UNITS: same.double().mean().item()}


def hidden_units(rbm: Any) -> int:
    """The number that the run has."""
    return int(rbm.config.hidden or min(500, 2 * rbm.space.dims))


def _can_be_tempered(rbm: Any) -> bool:
    config = rbm.config
    return config.persistent and config.temperatures < 10 and not config.fast_weights


_LESS_STUCK = (
    change("persistent", lambda rbm, now: True, least=Severity.NOTE),
    change(
        "temperatures",
        lambda rbm, now: 10 if _can_be_tempered(rbm) else None,
        least=Severity.NOTE,
    ),
    change(
        "fast_weights",
        lambda rbm, now: True if _can_be_tempered(rbm) and rbm.config.temperatures == 1 else None,
        least=Severity.NOTE,
        note="in the place of --temperatures",
    ),
    change("gibbs", lambda rbm, now: 5 if now < 5 else None, least=Severity.NOTE),
)

REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "chain mixing": _LESS_STUCK,
    "normalising constant": (*_LESS_STUCK, smaller("lr")),
    "overfitting": (smaller("hidden", hidden_units), larger("decay")),
}
"""{phenomenon: what helps}."""
