"""A number that says what it is: value, error, how many examples it comes from, which way is good.

A new measure is a file of ``metrics/`` and a line in its ``__init__.py``.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from plausible.core import notebook
from plausible.core.errors import NotDefined
from plausible.core.likelihood import Kind
from plausible.core.rule import Rule, Rules
from plausible.evaluation.evaluation_set import EvaluationSet

LIKELIHOODS = ("log likelihood", "bits per dimension")
"""Measures of how probable data are, which never stand without the sign of their kind."""

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

    def __repr__(self) -> str:
        said = f"{self.number} {self.unit}".strip() if self.number else f"none, {self.note}"
        return f"Measure {self.name}: {said}"

    def _repr_html_(self) -> str:
        return notebook.line(repr(self))

    @property
    def number(self) -> str:
        """Value ± error with its sign, to the digits that the error leaves, and p where it is a test; empty without."""
        if self.value is None:
            return ""
        large = abs(self.value) >= 1000
        text = f"{self.value:,.0f}" if large else f"{self.value:.4g}"
        if self.stderr:
            digits = 0 if large else max(0, min(6, 1 - math.floor(math.log10(self.stderr))))
            text = f"{self.value:,.{digits}f} ± {self.stderr:,.{digits}f}"
        # that a measure is an estimate is said of likelihoods alone, because nearly all of them are
        bare = self.kind is Kind.ESTIMATE and self.name not in LIKELIHOODS
        sign = "" if bare else f"{self.kind.sign} "
        return f"{sign}{text}" + (f"  p {self.p:.2g}" if self.p is not None else "")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for measures.json, what is empty left out."""
        values = {**asdict(self), "kind": self.kind.sign}
        return {k: v for k, v in values.items() if k == "value" or v not in (None, "")}


metrics = Rules("measure")
"""Every metric by name, in the order of the table: rules f(evalset) -> Measure or several of them."""

metric = metrics.rule
"""Register f(evalset); ``needs`` is the capability that the model must have.

A function that has no answer for these data raises ``NotDefined`` with the reason, which stands in the
table in the place of the number.
"""


def measure(rule: Rule, evalset: EvaluationSet) -> list[Measure]:
    """The measures of one metric, or one without a value that says why it is not defined.

    Anything else that is raised goes on: a mistake inside a metric is never a quiet row.
    """
    if not rule.applies(evalset.model):
        capability = rule.needs.__name__.lower()
        note = f"not defined for this model: it is not {capability}"
        return [Measure(rule.name, None, note=note)]
    try:
        measures = rule.function(evalset)
    except NotDefined as reason:
        return [Measure(rule.name, None, n=len(evalset.samples), note=str(reason))]
    return [measures] if isinstance(measures, Measure) else list(measures)
