"""Alarms: what the log of a training says is going wrong."""

from collections.abc import Callable
from typing import Any

from plausible.core.registry import Registry
from plausible.diagnosis.finding import Finding, Severity
from plausible.diagnosis.history import History

Alarm = Callable[[History], Finding | None]

alarms: Registry[Any] = Registry("alarm")
"""Every alarm by name: f(history) -> Finding, or None where it has nothing to say of such a history.

One that finds nothing wrong says so by a finding that is fine, if it could have.
"""


def alarmed(history: History) -> list[Finding]:
    """What every alarm says, the worst first."""
    order = list(reversed(Severity))
    found = [finding for alarm in alarms.values() if (finding := alarm(history)) is not None]
    return sorted(found, key=lambda finding: order.index(finding.severity))
