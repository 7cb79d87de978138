"""Is every number of a round finite?"""

import math
from typing import Any

from torch import Tensor

from plausible.core.finding import Finding, Severity
from plausible.training import Step, Training

NOT_FINITE = "not finite"
"""The one phenomenon that a log does not show: the round that has it is not logged."""
LOG_P_NOT_FINITE = "log p not finite"
"""What a trained model says of some examples."""


def not_finite(step: Step, training: Training[Any]) -> Finding | None:
    """What is not finite: the first such value of this step, and the weights whose gradient is not."""
    for player, values in step.scalars.items():
        for name, value in values.items():
            if not math.isfinite(value.item()):
                return _finding(step, training, player, name, value.item())
    return None


def _finding(step: Step, training: Training[Any], player: str, name: str, value: float) -> Finding:
    moved = {id(weight) for weight in training.weights.get(player, ())}
    named = training.raw.named_parameters()
    names = [name for name, p in named if id(p) in moved and _is_bad(p.grad)]
    evidence: dict[str, float | str] = {
        "step": step.clock.step,
        "player": player,
        name: str(value),
    }
    if names:
        evidence["gradients that are not finite"] = f"{len(names)}, first that of {names[0]}"
    return Finding(
        NOT_FINITE,
        Severity.FAILURE,
        f"the {name} of the {player} is {value} at step {step.clock.step}: training has diverged",
        evidence,
    )


def _is_bad(gradient: Tensor | None) -> bool:
    return gradient is not None and not bool(gradient.isfinite().all())
