"""Does every player move?"""

from collections.abc import Mapping

import torch

from plausible.core.finding import Finding, Severity, alarm, probe
from plausible.core.reading import Reading
from plausible.core.snapshot import Snapshot
from plausible.diagnosis.alarm import IN_A_ROW, not_raised
from plausible.diagnosis.history import History

WEIGHT_NORM = Reading("weight norm")
"""Of each player: ``WEIGHT_NORM.of(player)``."""


@probe()
def weight_norms(snapshot: Snapshot) -> Mapping[Reading, float]:
    """Norm of each player's weights."""
    return {
        WEIGHT_NORM.of(player): torch.cat([w.detach().flatten() for w in weights])
        .double()
        .norm()
        .item()
        for player, weights in snapshot.players.items()
    }


@alarm()
def frozen_player(history: History) -> Finding | None:
    """A player whose weights are, to the last digit, those of two probes ago, though it plays."""
    calm = None
    for player in history.players:
        three = history.last(IN_A_ROW, WEIGHT_NORM.of(player))
        if three is None:
            continue
        (norms,) = three
        if (norms == norms[0]).all():
            return Finding(
                "frozen player",
                Severity.FAILURE,
                f"the {player} does not move: its weights stay what they are",
                {"norm of its weights": norms[-1].item(), "probes without a change": IN_A_ROW},
            )
        calm = not_raised("frozen player")
    return calm
