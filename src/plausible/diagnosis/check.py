"""Checks of a trained model, run one after the other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from plausible.core.errors import NotDefined
from plausible.core.finding import Finding, Severity, by_severity, checks
from plausible.core.model import Model
from plausible.data.part import Data
from plausible.diagnosis.remedies import with_remedy
from plausible.training import Settings


def run_checks(
    model: Model,
    data: Data | None,
    seed: int = 0,
    settings: Settings | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Finding]:
    """Every check that the model's capabilities allow, the worst finding first.

    data      None where they are gone: checks that need them are then left out, see ``without_data``.
    settings  how it was trained, which remedies ask for.
    progress  called with the name of each check before it begins.
    """
    if data is not None:
        # each with a seed of its own, or they would share the noise of dynamic binarisation
        train, heldout = data.train.frozen(seed), data.heldout.frozen(seed + 1)
        data = replace(data, train=train, heldout=heldout)
    findings = _run(model, data, seed, progress)
    return by_severity(with_remedy(finding, model, settings) for finding in findings)


def without_data(model: Model) -> list[str]:
    """The names of the checks of a model that are left out where its data are gone."""
    return [name for name, rule in checks.items() if rule.applies(model) and rule.data]


def _run(
    model: Model, data: Data | None, seed: int, progress: Callable[[str], None]
) -> Iterator[Finding]:
    for name, rule in checks.items():
        if not rule.applies(model) or (data is None and rule.data):
            continue
        progress(name)
        try:
            findings = rule.function(model, data, seed)
        except NotDefined as reason:
            yield Finding(name, Severity.NOTE, f"this could not be checked: {reason}")
            continue
        yield from [findings] if isinstance(findings, Finding) else findings


def merge_findings(raised: Iterable[Finding], checked: Sequence[Finding]) -> list[Finding]:
    """What alarms say of a log beside what checks say of the trained model, the worst first.

    Where both know a phenomenon the check has looked closer; the alarm is kept beside it if it is worse.
    """
    raised = list(raised)
    said = {finding.phenomenon: -1 for finding in raised}
    for finding in checked:
        said[finding.phenomenon] = max(finding.severity.rank, said.get(finding.phenomenon, -1))
    worse = [finding for finding in raised if finding.severity.rank > said[finding.phenomenon]]
    return by_severity([*worse, *checked])
