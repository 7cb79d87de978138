"""Do the chains of a model still move?"""

from collections.abc import Mapping

import torch

from plausible.core.capabilities import Chain
from plausible.core.mcmc import autocorrelation, projections
from plausible.diagnosis.alarm import alarms, calm
from plausible.diagnosis.finding import Finding, Severity
from plausible.diagnosis.history import History
from plausible.diagnosis.mixing import remedy
from plausible.diagnosis.probe import Snapshot, look

_CHAINS = 16
_FIRST, _LAG = 4, 12  # steps that lead away from the data, and steps over which chains are compared
_IN_A_ROW = 3
_STUCK = 0.65  # of where a chain was, that is left after so many steps


@look(needs=Chain)
def mixing(snapshot: Snapshot) -> Mapping[str, float]:
    """Of chains that begin at held-out examples: their autocorrelation over 12 steps, mean of 16 directions.

    Chains that keep a label all begin at examples of one, the commonest.
    """
    model, held = snapshot.model, snapshot.reference.held
    assert isinstance(model, Chain)
    x, labels, y = held.x, snapshot.labels(held), None
    if labels is not None:
        label = labels.mode().values
        x, y = x[labels == label], label.expand(_CHAINS)
    if len(x) < _CHAINS:
        return {}
    x = x[:_CHAINS]
    way = [x]
    for _ in range(_FIRST + _LAG):
        x = model.transition(x, y)
        way.append(x)
    seen = torch.stack(way[_FIRST:]).flatten(2)  # (T, M, D)
    directions = projections(seen.shape[2]).to(seen.device)
    return {"left of a chain": autocorrelation(seen @ directions)[_LAG].mean().item()}


@alarms
def chain_mixing(history: History) -> Finding | None:
    """Most of where a chain was is left after 12 steps, at three looks in a row.

    So few steps tell chains that have stopped from those that move; how well they mix is for the check of a trained
    model to say.
    Learning by chains that do not move raises the energy of where they are, and of nothing else.
    Source: Tieleman 2008, doi:10.1145/1390156.1390290.
    """
    three = history.last(_IN_A_ROW, "left of a chain")
    if three is None:
        return None
    (left,) = three
    evidence = {f"autocorrelation over {_LAG} steps": left[-1].item(), "chains": float(_CHAINS)}
    name = "chain mixing"
    if (left > _STUCK).all():
        return Finding(
            name,
            Severity.WARNING,
            "the chains have nearly stopped: they stay where they are",
            evidence,
            remedy(history.players[0]),
        )
    return calm(name, evidence)
