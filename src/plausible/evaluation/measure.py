"""A number that says what it is: value, error, how many examples it comes from, which way is good."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from plausible.core.errors import NotDefined
from plausible.core.likelihood import Kind
from plausible.core.registry import Registry

if TYPE_CHECKING:
    from plausible.evaluation.evaluation_set import EvaluationSet

Direction = Literal["lower", "higher", "like real"]


@dataclass(frozen=True)
class Measure:
    """One number of an evaluation, or the reason why there is none.

    value      None when it is not defined; ``note`` then says why.
    stderr     standard error, None where none is known.
    interval   (low, high) at 95%, where it is not value ± 2 stderr.
    p          of the null hypothesis that the samples are drawn from the data's distribution.
    n          examples on each side.
    kind       how the true number relates to the value: ≤ for an estimate biased upwards, say.
    direction  which way is good; "like real" for what should equal its value on real data.
    """

    name: str
    value: float | None
    stderr: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    n: int = 0
    kind: Kind = Kind.ESTIMATE
    unit: str = ""
    direction: Direction = "lower"
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "stderr", "p"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                object.__setattr__(self, name, None)
                if name == "value":
                    object.__setattr__(self, "note", self.note or f"it would be {number}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for measures.json, what is empty left out."""
        values = {**asdict(self), "kind": self.kind.sign}
        return {k: v for k, v in values.items() if k == "value" or v not in (None, "")}


@dataclass(frozen=True)
class Metric:
    """A registered function of a evalset, and the verb that the model must have (None: any)."""

    name: str
    function: Callable[["EvaluationSet"], Measure | Sequence[Measure]]
    needs: Any = None

    def __call__(self, evalset: "EvaluationSet") -> list[Measure]:
        """The measures, or one without a value that says why it is not defined."""
        if self.needs is not None and not isinstance(evalset.model, self.needs):
            verb = self.needs.__name__.lower()
            return [Measure(self.name, None, note=f"not defined for this model: it is not {verb}")]
        try:
            found = self.function(evalset)
        except NotDefined as refusal:
            return [Measure(self.name, None, n=len(evalset.samples), note=str(refusal))]
        return [found] if isinstance(found, Measure) else list(found)


metrics: Registry[Metric] = Registry("measure")
"""Every measure of an evaluation, by name, in the order of the table."""

Function = Callable[["EvaluationSet"], Measure | Sequence[Measure]]


def metric(needs: Any = None) -> Callable[[Function], Function]:
    """Register f(evalset) -> Measure or several; ``needs`` is a verb's protocol or class.

    A function that cannot answer for these data raises ``NotDefined`` with the reason, which stands in
    the table in the place of the number.
    """

    def register(function: Function) -> Function:
        metrics(Metric(function.__name__.replace("_", " "), function, needs))
        return function

    return register
