"""What helps a diffusion model that goes wrong, from what to what."""

from collections.abc import Mapping, Sequence
from typing import Any

from plausible.core.remedy import Remedy, change, smaller


def width(model: Any) -> int:
    """The width that the run has."""
    return int(model.width)


REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "overfitting": (
        change("dropout", lambda model, now: 0.2 if now < 0.2 else None),
        smaller("width", width),
    ),
    "divergence": (smaller("lr"),),
}
"""{phenomenon: what helps}."""
