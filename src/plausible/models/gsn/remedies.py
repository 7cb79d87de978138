"""What helps a generative stochastic network that goes wrong, from what to what."""

from collections.abc import Mapping, Sequence
from typing import Any

from plausible.core.finding import Severity
from plausible.core.remedy import Remedy, change, larger, smaller


def width(gsn: Any) -> int:
    """The width that the run has."""
    of_conv = gsn.config.architecture == "conv"
    return gsn.config.width or (32 if of_conv else min(1500, 4 * gsn.space.dims + 64))


REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "chain mixing": (
        # a third of what is left to be corrupted
        change("corruption", lambda gsn, now: round(now + (1 - now) / 3, 3), least=Severity.NOTE),
        larger("noise", least=Severity.NOTE),
    ),
    "overfitting": (smaller("width", width),),
}
"""{phenomenon: what helps}."""
