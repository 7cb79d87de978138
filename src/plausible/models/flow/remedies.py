"""What helps a normalizing flow that goes wrong, from what to what."""

from collections.abc import Mapping, Sequence

from plausible.core.remedy import Remedy, change, smaller

REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "overfitting": (
        change("dropout", lambda model, now: 0.2 if now < 0.2 else None),
        smaller("layers", lambda model: model.size.layers),
    ),
    "divergence": (smaller("lr"),),
}
"""{phenomenon: what helps}."""
