"""Does a player run away?"""

from plausible.core.finding import Finding, Severity, alarm
from plausible.core.reading import GRADIENT_NORM
from plausible.diagnosis.alarm import not_raised
from plausible.diagnosis.frozen_player import WEIGHT_NORM
from plausible.diagnosis.history import History

_FAR = 100.0  # times the norm of a gradient at its calmest
_BLOCK = 10  # lines


@alarm()
def divergence(history: History) -> Finding | None:
    """Gradients a hundred times their calmest, of ten lines, and weights that grow with them."""
    calm = None
    for player in history.players:
        _, norms = history.series_of(player, GRADIENT_NORM)
        _, weights = history.series(WEIGHT_NORM.of(player))
        if len(norms) < 20 or len(weights) < 2:
            continue
        blocks = norms[: len(norms) // _BLOCK * _BLOCK].unflatten(0, (-1, _BLOCK))  # (n / 10, 10)
        usual, now = blocks.median(1).values.min().item(), norms[-5:].median().item()
        grown = (weights[-1] / weights[0].clamp(min=1e-12)).item()
        if usual > 0 and now > _FAR * usual and grown > 2:
            return Finding(
                "divergence",
                Severity.FAILURE,
                f"the {player} runs away: its gradients and its weights grow without bound",
                {
                    "norm of its gradient": now,
                    "at its calmest": usual,
                    "its weights, times those at the start": grown,
                },
            )
        calm = not_raised("divergence")
    return calm
