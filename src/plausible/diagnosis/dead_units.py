"""Is every unit of use?"""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from plausible.core.finding import Finding, Severity, alarm, probe
from plausible.core.reading import CONSTANT_UNITS, Reading
from plausible.core.snapshot import Snapshot
from plausible.diagnosis.alarm import IN_A_ROW, not_raised
from plausible.diagnosis.history import History

UNITS_WITHOUT_GRADIENT = Reading("units without gradient")
_WARM = 0.1  # of the budget
_MANY = 0.25  # of the units


@probe()
def units_without_gradient(snapshot: Snapshot) -> Mapping[Reading, float]:
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
    return {UNITS_WITHOUT_GRADIENT: 1 - torch.cat(rows).double().mean().item()} if rows else {}


@alarm()
def dead_units(history: History) -> Finding | None:
    """A quarter of the units learn nothing, or say the same of every input, three times in a row.

    Source: Hinton 2012, doi:10.1007/978-3-642-35289-8_32, section 15 (for hidden units of an RBM).
    """
    shares = {
        reading: values[0]
        for reading in (UNITS_WITHOUT_GRADIENT, CONSTANT_UNITS)
        if (values := history.last(IN_A_ROW, reading, since=_WARM)) is not None
    }
    if not shares:
        return None
    evidence = {str(reading): values[-1].item() for reading, values in shares.items()}
    first = {f"{reading}, at first": history.series(reading)[1][0].item() for reading in shares}
    name = "dead units"
    if any((values > _MANY).all() for values in shares.values()):
        return Finding(
            name,
            Severity.WARNING,
            "a part of the units is dead: they say the same of every input and do not learn",
            {**evidence, **first},
        )
    return not_raised(name, evidence)
