"""What helps a normalizing flow that goes wrong, from what to what."""

from collections.abc import Mapping, Sequence
from typing import Any

from plausible.core.remedy import Remedy, change, smaller


def layers(model: Any) -> int:
    """The layers that the run has, of a model for each class those of the first."""
    one = getattr(model, "each", (model,))[0]
    return int(one.size.layers)


REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "overfitting": (
        change("dropout", lambda model, now: 0.2 if now < 0.2 else None),
        smaller("layers", layers),
    ),
    "divergence": (smaller("lr"),),
}
"""{phenomenon: what helps}."""
