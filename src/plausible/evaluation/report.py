"""What an evaluation found: every measure beside real data, the shares of the modes, and the verdict."""

from dataclasses import asdict, dataclass, field
from typing import Any

from plausible.core import notebook
from plausible.core.capabilities import Classifier
from plausible.core.errors import unknown
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.measure import Measure
from plausible.evaluation.metrics.classification import Predictions
from plausible.evaluation.metrics.histogram import ModeShare
from plausible.evaluation.seal import Seal
from plausible.evaluation.verdict.verdict import Verdict

Measures = list[tuple[Measure, Measure | None]]
"""Each measure, and the same of real data where that is defined."""


@dataclass(frozen=True)
class Report:
    """What an evaluation found.

    measures  each with the same measure of real held-out data in the place of the samples, where
              that is defined; both compare ``compared`` points with as many of the held-out part.
    verdict   None for a model that draws nothing.
    classes   the shares of all samples.
    reference_accuracy  of the classifier of real data that assigns classes, on the held-out part.
    evalset   what was compared, for pictures.
    predictions  what a classifier, or Bayes' rule on p(x | y), says of the held-out part.
    classifier   the one that says so.
    notes     sentences for people: what was done to samples of another program.
    seal      what was judged and how, so that it can be made again; None of a model that draws nothing.
    """

    measures: Measures
    verdict: Verdict | None = None
    classes: list[ModeShare] = field(default_factory=list)
    samples: int = 0
    compared: int = 0
    features: str = ""
    reference_accuracy: float | None = None
    evalset: EvaluationSet | None = None
    predictions: Predictions | None = None
    classifier: Classifier | None = None
    notes: tuple[str, ...] = ()
    seal: Seal | None = None

    def __repr__(self) -> str:
        verdict = "" if self.verdict is None else f"{self.verdict!r}; "
        defined = sum(measure.value is not None for measure, _ in self.measures)
        of = f" of {self.samples:,} samples" if self.samples else ""
        return f"Report{of}: {verdict}{defined} measures"

    def _repr_html_(self) -> str:
        rows = [
            (
                f"{one.name}, {one.unit}".removesuffix(", "),
                one.number or one.note,
                real.number if real else "",
            )
            for one, real in self.measures
        ]
        verdict = "" if self.verdict is None else self.verdict._repr_html_()
        table = notebook.table(("measure", "samples", "real data"), rows)
        return notebook.line(repr(self)) + verdict + table

    def __getitem__(self, name: str) -> Measure:
        """The measure of that name; KeyError with the names that there are."""
        return self._named(name)[0]

    def real(self, name: str) -> Measure | None:
        """The same measure of real data; None where that is not defined."""
        return self._named(name)[1]

    def _named(self, name: str) -> tuple[Measure, Measure | None]:
        pairs = {measure.name: (measure, real) for measure, real in self.measures}
        if name not in pairs:
            raise KeyError(unknown("measure", name, list(pairs)))
        return pairs[name]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for measures.json."""
        return {
            "samples": self.samples,
            "compared": self.compared,
            "features": self.features,
            "reference_accuracy": self.reference_accuracy,
            "verdict": self.verdict.to_dict() if self.verdict else None,
            "measures": [
                measure.to_dict() | ({"real": real.to_dict()} if real else {})
                for measure, real in self.measures
            ],
            "classes": [asdict(share) | {"ratio": share.ratio} for share in self.classes],
            "seal": self.seal.to_dict() if self.seal else None,
        }
