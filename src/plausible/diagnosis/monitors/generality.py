"""Does what is learned hold for data that are not learned?"""

import math
from collections.abc import Mapping

import torch

from plausible.core.game import Clock
from plausible.diagnosis.alarm import alarms, calm
from plausible.diagnosis.finding import Finding, Severity
from plausible.diagnosis.history import LOOK, History
from plausible.diagnosis.probe import Snapshot, look

_IN_A_ROW = 3
_WORSE = 0.05  # of the best


@look()
def generality(snapshot: Snapshot) -> Mapping[str, float]:
    """The loss of a game for one on held-out examples and its standard error, by the weights that a run saves.

    Not where an example's loss depends on the others, which is then no measure of the model.
    """
    model = snapshot.model
    if len(snapshot.players) != 1:
        return {}
    (player,) = model.players()
    if player.whole_batch:
        return {}
    with torch.no_grad():
        loss = player.loss(snapshot.reference.held, Clock(0, 0, 1.0))
    each = torch.stack(list(loss.terms.values())).sum(0)  # (n,)
    return {
        "held-out loss": loss.total.item(),
        "held-out error": each.std().item() / math.sqrt(len(each)),
    }


@alarms
def learning_by_heart(history: History) -> Finding | None:
    """The loss of held-out examples has risen over its best by 5% and three standard errors, at three looks in a
    row, while that of training examples fell."""
    three = history.last(_IN_A_ROW, "held-out loss", "held-out error")
    if three is None or len(history.players) != 1:
        return None
    held, error = three
    steps, every = history.series(LOOK, "held-out loss")
    best = int(every.argmin())
    (who,) = history.players
    at, losses = history.series(who, "loss")
    before = losses[(at - steps[best]).abs() <= max(50.0, 0.05 * float(at[-1]))].mean().item()
    now = losses[-10:].mean().item()
    evidence = {
        "held-out loss": held[-1].item(),
        "its standard error": error[-1].item(),
        "the best it was": every[best].item(),
        "at step": steps[best].item(),
        "training loss": now,
        "when the other was best": before,
    }
    name = "learning by heart"
    rise = (3 * error).clamp(min=_WORSE * abs(every[best].item()))
    if (held > every[best] + rise).all() and now < before:
        return Finding(
            name,
            Severity.WARNING,
            "new examples have become less probable while training examples become more so",
            evidence,
            "the best weights are kept; fewer --steps, a smaller network, or more data",
        )
    return calm(name, evidence)
