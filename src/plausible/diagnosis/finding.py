"""A finding: how bad, what is claimed in plain words, the numbers it rests on, and what to change."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import torch

from plausible.core.errors import NotDefined
from plausible.core.model import Model
from plausible.core.registry import Registry
from plausible.data.part import Data


class Severity(StrEnum):
    """How much a finding matters."""

    FINE = "fine"  # looked for and not found
    NOTE = "note"  # worth knowing, nothing to do
    WARNING = "warning"  # a better model is to be had
    FAILURE = "failure"  # the learning did not work

    @property
    def rank(self) -> int:
        """0 for fine, and more the more it matters."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Finding:
    """What a check has to say.

    claim     one sentence without numbers that need the evidence to be understood.
    evidence  {what: number or text} the claim rests on.
    remedy    what to change, as flags of the command line; empty where there is nothing to do.
    """

    check: str
    severity: Severity
    claim: str
    evidence: Mapping[str, float | str] = field(default_factory=dict)
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for findings.json, which has no NaN and no infinity: None stands for them."""
        evidence = {
            what: None if isinstance(value, float) and not math.isfinite(value) else value
            for what, value in self.evidence.items()
        }
        return {**asdict(self), "severity": str(self.severity), "evidence": evidence}


@dataclass(frozen=True, eq=False)
class Case:
    """What is looked at: a trained model and its data, with nothing left to chance."""

    model: Model
    data: Data
    seed: int = 0

    def __post_init__(self) -> None:
        # each with a seed of its own, or they would share the noise of dynamic binarisation
        train, held = self.data.train.frozen(self.seed), self.data.heldout.frozen(self.seed + 1)
        object.__setattr__(self, "data", replace(self.data, train=train, heldout=held))

    def generator(self) -> torch.Generator:
        """A fresh generator of the case's seed: every check draws the same numbers again."""
        return torch.Generator().manual_seed(self.seed)


Look = Callable[[Case], Finding | Sequence[Finding]]


@dataclass(frozen=True)
class Check:
    """A registered function of a case, and the verb that the model must have (None: any)."""

    name: str
    look: Look
    needs: Any = None


checks: Registry[Any] = Registry("check")
"""Every check by name."""


def check(needs: Any = None) -> Callable[[Look], Look]:
    """Register f(case) -> Finding or several; ``needs`` is a verb's protocol or class.

    A function that cannot answer for these data raises ``NotDefined`` with the reason, which becomes a note.
    """

    def register(look: Look) -> Look:
        checks(Check(look.__name__.replace("_", " "), look, needs))
        return look

    return register


def diagnose(
    model: Model, data: Data, seed: int = 0, tell: Callable[[str], None] = lambda name: None
) -> list[Finding]:
    """Every check that the model's verbs allow, the worst finding first."""
    return worst_first(_found(Case(model, data, seed), tell))


def worst_first(found: Iterable[Finding]) -> list[Finding]:
    """The same findings, failures before warnings before notes; equals stay in their order."""
    return sorted(found, key=lambda finding: -finding.severity.rank)


def to_json(findings: Iterable[Finding]) -> str:
    """The content of findings.json."""
    return json.dumps([finding.to_dict() for finding in findings], indent=2) + "\n"


def joined(logged: Iterable[Finding], checked: Sequence[Finding]) -> list[Finding]:
    """What alarms say of a log beside what checks say of the trained model, the worst first.

    Where both know a failure by the same name the check has looked closer; the alarm is told if it is worse.
    """
    said = {finding.check: -1 for finding in logged}
    for finding in checked:
        said[finding.check] = max(finding.severity.rank, said.get(finding.check, -1))
    worse = [finding for finding in logged if finding.severity.rank > said[finding.check]]
    return worst_first([*worse, *checked])


def _found(case: Case, tell: Callable[[str], None]) -> Iterator[Finding]:
    for name, check in checks.items():
        if check.needs is not None and not isinstance(case.model, check.needs):
            continue
        tell(name)
        try:
            found = check.look(case)
        except NotDefined as refusal:
            yield Finding(name, Severity.NOTE, f"this could not be looked at: {refusal}")
            continue
        yield from [found] if isinstance(found, Finding) else found
