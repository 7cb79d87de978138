"""Hidden units that say the same of every input, while a machine learns."""

from collections.abc import Mapping

import torch

from plausible.core.finding import probe
from plausible.core.reading import CONSTANT_UNITS, Reading
from plausible.core.snapshot import Snapshot
from plausible.models.rbm.capabilities import Hidden

_NEVER = 0.01  # probability of a unit that says the same of every input


@probe(needs=Hidden)
def constant_units(snapshot: Snapshot) -> Mapping[Reading, float]:
    """Share of the hidden units that are on for none, or for all, of the examples of the validation part."""
    model, batch = snapshot.model, snapshot.validation
    assert isinstance(model, Hidden)
    with torch.no_grad():
        on = model.hidden(batch.x, snapshot.labels(batch))  # (N, H)
    same = (on < _NEVER).all(0) | (on > 1 - _NEVER).all(0)  # (H,)
    return {CONSTANT_UNITS: same.double().mean().item()}
