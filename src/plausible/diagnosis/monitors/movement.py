"""Does every player move, and none of them away?"""

from collections.abc import Mapping

import torch

from plausible.diagnosis.alarm import alarms, calm
from plausible.diagnosis.finding import Finding, Severity
from plausible.diagnosis.history import LOOK, History
from plausible.diagnosis.probe import Snapshot, look

_IN_A_ROW = 3
_FAR = 100.0  # times the norm of a gradient at its calmest
_BLOCK = 10  # lines
_WEIGHTS = "weights of the "


@look()
def movement(snapshot: Snapshot) -> Mapping[str, float]:
    """Norm of each player's weights."""
    return {
        f"{_WEIGHTS}{name}": torch.cat([w.detach().flatten() for w in weights])
        .double()
        .norm()
        .item()
        for name, weights in snapshot.players.items()
    }


@alarms
def frozen_player(history: History) -> Finding | None:
    """A player whose weights are, to the last digit, those of two looks ago, though it plays."""
    found = None
    for who in history.players:
        three = history.last(_IN_A_ROW, f"{_WEIGHTS}{who}")
        if three is None:
            continue
        (norms,) = three
        if (norms == norms[0]).all():
            return Finding(
                "frozen player",
                Severity.FAILURE,
                f"the {who} does not move: its weights stay what they are",
                {"norm of its weights": norms[-1].item(), "looks without a change": _IN_A_ROW},
                "leave out --lr-discriminator, so that it learns as fast as G"
                if who == "discriminator"
                else "a larger --lr",
            )
        found = calm("frozen player")
    return found


@alarms
def divergence(history: History) -> Finding | None:
    """Gradients a hundred times their calmest, of ten lines, and weights that grow with them."""
    found = None
    for who in history.players:
        _, norms = history.series(who, "gradient")
        _, weights = history.series(LOOK, f"{_WEIGHTS}{who}")
        if len(norms) < 20 or len(weights) < 2:
            continue
        blocks = norms[: len(norms) // _BLOCK * _BLOCK].unflatten(0, (-1, _BLOCK))  # (n / 10, 10)
        usual, now = blocks.median(1).values.min().item(), norms[-5:].median().item()
        grown = (weights[-1] / weights[0].clamp(min=1e-12)).item()
        if usual > 0 and now > _FAR * usual and grown > 2:
            return Finding(
                "divergence",
                Severity.FAILURE,
                f"the {who} runs away: its gradients and its weights grow without bound",
                {
                    "norm of its gradient": now,
                    "at its calmest": usual,
                    "its weights, times those at the start": grown,
                },
                "a smaller --lr, and for a gan --penalties r1 r2",
            )
        found = calm("divergence")
    return found
