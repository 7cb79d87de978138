"""What helps a normalizing flow that goes wrong, from what to what."""

from collections.abc import Mapping, Sequence
from typing import Any

from plausible.core.remedy import Remedy, change, smaller

_USUAL = 2e-3  # the learning rate of most flows, which is taken back at once


def layers(model: Any) -> int:
    """The layers that the run has, of a model for each class those of the first."""
    one = getattr(model, "each", (model,))[0]
    return int(one.size.layers)


def lr(model: Any) -> float:
    """The learning rate at the start, asked for or not."""
    return float(model.config.learning_rate(model.space))


REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "overfitting": (
        change("dropout", lambda model, now: 0.2 if now < 0.2 else None),
        smaller("layers", layers),
    ),
    "divergence": (change("lr", lambda model, now: min(now / 2, _USUAL), lr),),
}
"""{phenomenon: what helps}."""
