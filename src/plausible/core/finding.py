"""A finding: how bad, what is claimed in plain words, the numbers it rests on, and what to change.

A new one is a file of the room ``diagnosis``, named after its phenomenon, and a line in its ``__init__.py``.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from plausible.core.rule import Rules


class Severity(StrEnum):
    """How much a finding matters."""

    FINE = "fine"  # looked for and not found
    NOTE = "note"  # worth knowing
    WARNING = "warning"  # a better model is to be had
    FAILURE = "failure"  # the learning did not work

    @property
    def rank(self) -> int:
        """0 for fine, and more the more it matters."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Finding:
    """What a check of a trained model, or an alarm of a training, has to say.

    phenomenon  what was looked for, by the one name that it has everywhere.
    claim       one sentence without numbers that need the evidence to be understood.
    evidence    {what: number or text} the claim rests on.
    remedy      what to change, as flags of the command line; empty where there is nothing to do.  A rule
                leaves it to the family of the model (``Model.remedies``).
    """

    phenomenon: str
    severity: Severity
    claim: str
    evidence: Mapping[str, float | str] = field(default_factory=dict)
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for findings.json, which has no NaN and no infinity: None stands for them."""
        evidence = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in self.evidence.items()
        }
        return {**asdict(self), "severity": str(self.severity), "evidence": evidence}


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """The same findings, failures before warnings before notes; equals stay in their order."""
    return sorted(findings, key=lambda finding: -finding.severity.rank)


def to_json(findings: Iterable[Finding]) -> str:
    """The content of findings.json."""
    return json.dumps([finding.to_dict() for finding in findings], indent=2) + "\n"


checks = Rules("check")
"""Of a trained model: f(model, data, seed) -> Finding, or several; all chance comes from the seed.

With ``data=False`` a check is run as well when the data are gone, and gets None in their place.
``NotDefined`` with the reason, raised where these data allow no answer, becomes a note.
"""

probes = Rules("probe")
"""Of a model in training: f(snapshot) -> {Reading: number}; training goes on as if nobody had measured."""

alarms = Rules("alarm")
"""Of the log of a training: f(history) -> Finding, or None where such a history does not say.

One that finds nothing wrong says so by a finding that is fine, if it could have.
"""

check, probe, alarm = checks.rule, probes.rule, alarms.rule
