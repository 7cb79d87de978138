"""Alarms: what the log of a training says is going wrong."""

from collections.abc import Mapping
from dataclasses import replace

from plausible.core.finding import Finding, Severity, alarms, by_severity
from plausible.core.model import Model
from plausible.diagnosis.history import History
from plausible.diagnosis.remedies import with_remedy
from plausible.training import Settings

IN_A_ROW = 3  # probes that must agree before an alarm is raised


def not_raised(phenomenon: str, evidence: Mapping[str, float | str] | None = None) -> Finding:
    """What an alarm says that is not raised."""
    return Finding(phenomenon, Severity.FINE, "its signs are not all there now", evidence or {})


def run_alarms(
    history: History, model: Model | None = None, settings: Settings | None = None
) -> list[Finding]:
    """What every alarm says after the last line, the worst first; the evidence ends with its step.

    model, settings  what was trained and how: whom to ask for remedies.
    """
    findings = (rule.function(history) for rule in alarms.values())
    step = {"step": float(history.steps - 1)}
    return by_severity(
        with_remedy(replace(finding, evidence={**finding.evidence, **step}), model, settings)
        for finding in findings
        if finding is not None
    )
