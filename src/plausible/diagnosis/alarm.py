"""Alarms: what the log of a training says is going wrong."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from plausible.core.registry import Registry
from plausible.diagnosis.finding import Finding, Severity, worst_first
from plausible.diagnosis.history import History

Alarm = Callable[[History], Finding | None]

alarms: Registry[Any] = Registry("alarm")
"""Every alarm by name: f(history) -> Finding, or None where it has nothing to say of such a history.

One that finds nothing wrong says so by a finding that is fine, if it could have.
"""


def calm(name: str, evidence: Mapping[str, float | str] | None = None) -> Finding:
    """What an alarm says that is not raised."""
    return Finding(name, Severity.FINE, "its signs are not all there now", evidence or {})


def alarmed(history: History) -> list[Finding]:
    """What every alarm says after the last line, the worst first; the evidence ends with its step."""
    found = (alarm(history) for alarm in alarms.values())
    at = {"step": float(history.steps - 1)}
    return worst_first(
        replace(finding, evidence={**finding.evidence, **at})
        for finding in found
        if finding is not None
    )
