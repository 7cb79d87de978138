"""How long must a critic look until it is 75% right, at 4, 8 and 16 pixels and at full size?"""

from plausible.core.errors import NotDefined
from plausible.core.likelihood import Kind
from plausible.evaluation.critic.effort import Effort
from plausible.evaluation.critic.updates_to_accuracy import make_efforts
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.measure import Measure, metric


@metric()
def updates_to_accuracy(evalset: EvaluationSet) -> list[Measure]:
    """The updates at each size; real data against real data never get there."""
    efforts = make_efforts(evalset) if evalset.efforts is None else evalset.efforts
    if not efforts:
        raise NotDefined("a critic learns once, and about the samples")
    return [_measure(effort) for effort in efforts]


def _measure(effort: Effort) -> Measure:
    size = "full size" if effort.side is None else f"{effort.side} pixels"
    note = f"of {effort.budget}"
    if effort.kind is Kind.LOWER:
        note = f"right about {effort.accuracy:.0%} after {effort.budget}"
    return Measure(
        f"updates at {size}",
        effort.updates,
        effort.stderr,
        n=effort.asked,
        kind=effort.kind,
        direction="higher",
        note=f"{note}; {len(effort.needed)} critics of {effort.taught:,} samples each",
    )
