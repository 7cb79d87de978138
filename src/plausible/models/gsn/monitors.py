"""What helps a generative stochastic network that goes wrong."""

from collections.abc import Mapping, Sequence

from plausible.core.finding import Severity
from plausible.core.remedy import Remedy

REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "chain mixing": (
        Remedy("more --corruption", least=Severity.NOTE),
        Remedy("more --noise", least=Severity.NOTE),
    ),
    "overfitting": (Remedy("a smaller --width"),),
}
"""{phenomenon: what helps}."""
