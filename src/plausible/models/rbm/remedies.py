"""What helps a Boltzmann machine that goes wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from plausible.core.finding import Severity
from plausible.core.remedy import Remedy, change, larger, smaller


def hidden_units(rbm: Any) -> int:
    """The number that the run has."""
    return int(rbm.config.hidden or min(500, 2 * rbm.space.dims))


def _can_be_tempered(rbm: Any) -> bool:
    config = rbm.config
    return config.persistent and config.temperatures < 10 and not config.fast_weights


_LESS_STUCK = (
    change("persistent", lambda rbm, now: True, least=Severity.NOTE),
    change(
        "temperatures",
        lambda rbm, now: 10 if _can_be_tempered(rbm) else None,
        least=Severity.NOTE,
    ),
    change(
        "fast_weights",
        lambda rbm, now: True if _can_be_tempered(rbm) and rbm.config.temperatures == 1 else None,
        least=Severity.NOTE,
        note="in the place of --temperatures",
    ),
    change("gibbs", lambda rbm, now: 5 if now < 5 else None, least=Severity.NOTE),
)

REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "chain mixing": _LESS_STUCK,
    "normalising constant": (*_LESS_STUCK, smaller("lr")),
    "overfitting": (smaller("hidden", hidden_units), larger("decay")),
}
"""{phenomenon: what helps}."""
