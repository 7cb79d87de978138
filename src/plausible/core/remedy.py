"""What a family knows to do about a phenomenon, and when a run does it already."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plausible.core.finding import Severity


def _always(config: Any) -> bool:
    return True


@dataclass(frozen=True)
class Remedy:
    """One change of a command that helps.

    advice   what to give or to change, as flags of the command line: "--warm-up 0.3", "a smaller --width".
    missing  of the Config of a model: whether the run does not do so already.
    least    how severe a finding must be to be worth it.

    >>> warm_up = Remedy("--warm-up 0.3", lambda config: config.warm_up < 0.3)
    """

    advice: str
    missing: Callable[[Any], bool] = _always
    least: Severity = Severity.WARNING
