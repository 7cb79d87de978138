"""Alarms: what the log of a training says is going wrong."""

from collections.abc import Callable
from typing import Any

from plausible.core.registry import Registry
from plausible.diagnosis.finding import Finding, worst_first
from plausible.diagnosis.history import History

Alarm = Callable[[History], Finding | None]

alarms: Registry[Any] = Registry("alarm")
"""Every alarm by name: f(history) -> Finding, or None where it has nothing to say of such a history.

One that finds nothing wrong says so by a finding that is fine, if it could have.
"""


def alarmed(history: History) -> list[Finding]:
    """What every alarm says, the worst first."""
    found = (alarm(history) for alarm in alarms.values())
    return worst_first(finding for finding in found if finding is not None)
