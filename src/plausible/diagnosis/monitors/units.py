"""Is every unit of use?"""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from plausible.core.capabilities import Hidden
from plausible.diagnosis.alarm import alarms, calm
from plausible.diagnosis.finding import Finding, Severity
from plausible.diagnosis.history import LOOK, History
from plausible.diagnosis.probe import Snapshot, look

_IN_A_ROW = 3
_WARM = 0.1  # of the budget
_MANY = 0.25  # of the units
_NEVER = 0.01  # probability of a unit that says the same of every input


@look()
def units(snapshot: Snapshot) -> Mapping[str, float]:
    """Share of the units of layers that learn nothing: no gradient, to the last digit, reached their weights.

    A unit of a rectifier that is below 0 for every input has none, and cannot come back.
    """
    rows = []
    for layer in snapshot.raw.modules():
        if isinstance(layer, nn.Linear | _ConvNd):
            # not layer.weight, which of spectral norm is a step of its iteration
            weight = dict(layer.named_parameters(recurse=False)).get("weight")
            if weight is not None and weight.grad is not None:
                of_unit = (
                    weight.grad.transpose(0, 1)
                    if isinstance(layer, _ConvTransposeNd)
                    else weight.grad
                )
                rows.append(of_unit.flatten(1).any(1))  # (units,)
    return {"units without gradient": 1 - torch.cat(rows).double().mean().item()} if rows else {}


@look(needs=Hidden)
def hidden(snapshot: Snapshot) -> Mapping[str, float]:
    """Share of the hidden units that are on for none, or for all, of the held-out examples."""
    model, held = snapshot.model, snapshot.reference.held
    assert isinstance(model, Hidden)
    with torch.no_grad():
        on = model.hidden(held.x, snapshot.labels(held))  # (N, H)
    same = (on < _NEVER).all(0) | (on > 1 - _NEVER).all(0)  # (H,)
    return {"units that never change": same.double().mean().item()}


@alarms
def dead_units(history: History) -> Finding | None:
    """A quarter of the units learn nothing, or say the same of every input, at three looks in a row.

    Source: Hinton 2012, doi:10.1007/978-3-642-35289-8_32, section 15 (for hidden units of an RBM).
    """
    kinds = ("units without gradient", "units that never change")
    found = {what: history.last(_IN_A_ROW, what, since=_WARM) for what in kinds}
    known = {what: values[0] for what, values in found.items() if values is not None}
    if not known:
        return None
    evidence = {what: values[-1].item() for what, values in known.items()}
    first = {f"{what}, at first": history.series(LOOK, what)[1][0].item() for what in known}
    name = "dead units"
    if any((values > _MANY).all() for values in known.values()):
        return Finding(
            name,
            Severity.WARNING,
            "a part of the units is dead: they say the same of every input and do not learn",
            {**evidence, **first},
            "a smaller --lr; where all is well otherwise, a smaller network does the same in less time",
        )
    return calm(name, evidence)
