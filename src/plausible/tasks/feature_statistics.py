"""Mean and covariance of features, written and read as programs for the Frechet distance do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.feature_statistics import FeatureStatistics, probed
from plausible.evaluation.measure import Measure
from plausible.evaluation.report import Report
from plausible.runs.files import write

HELDOUT, SAMPLES = "heldout-statistics.npz", "sample-statistics.npz"


@dataclass(frozen=True)
class DistanceToFile:
    """How far samples, and beside them held-out data, are from what a file holds the statistics of.

    notes  sentences on what nobody could check.
    """

    samples: Measure
    heldout: Measure
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        both = {"samples": self.samples.to_dict(), "heldout": self.heldout.to_dict()}
        return {**both, "notes": list(self.notes)}


def save_statistics(report: Report, folder: str | Path) -> tuple[Path, Path]:
    """Write the statistics of the held-out part and of the samples that were compared, two .npz files with mu and sigma.

    Other programs compute the same Frechet distance from the two (``python -m pytorch_fid A B``).  The features are those of
    the evaluation, and not Inception's unless they were given.
    """
    evalset, place = _evalset(report), Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    pairs = (HELDOUT, evalset.heldout), (SAMPLES, evalset.samples)
    first, second = (write(place / name, _of(evalset, part).packed()) for name, part in pairs)
    return first, second


def check_statistics(path: str | Path, *, own: bool = False) -> None:
    """UsageError, before anything is measured, where a file cannot be compared with an evaluation.

    own  whether the evaluation has an extractor of the caller's, of which a file of another program may be.
    """
    theirs = FeatureStatistics.read(path)
    if theirs.probe is None and not own:
        raise UsageError(
            f"{path} does not say of which {len(theirs.mu):,} features its statistics are, and those of an evaluation come from its "
            "own training part: give the extractor that the file was made with, by --pretrained, or in Python by features="
        )


def distance_to_file(report: Report, path: str | Path) -> DistanceToFile:
    """The Frechet distance of samples, and of held-out data, to the statistics in a .npz file with mu and sigma.

    Their features must be those of the evaluation.  A file that this program wrote says what they are.  One of another program
    does not, so it is taken for an extractor of the caller (``features=``, --pretrained) with as many, which is said.
    UsageError: no such file, or other features.
    """
    evalset = _evalset(report)
    ours, theirs = _of(evalset, evalset.samples), FeatureStatistics.read(path)
    ours.check_same_features(theirs, path)
    notes = []
    if theirs.probe is None:
        if report.seal is None or report.seal.features is not None:
            raise UsageError(
                f"{path} does not say of which features its statistics are, and those of this evaluation ({evalset.feature_description}) "
                "come from its own training part: give the extractor that the file was made with"
            )
        notes.append(
            f"{path} does not say of which features its statistics are: taken for those of {evalset.feature_description}, because there "
            f"are as many, {len(theirs.mu):,}"
        )
    if theirs.count is not None:
        notes.append(f"{path} is of {theirs.count:,} points")
    name = f"Frechet distance to {Path(path).name}"
    measures = [
        Measure(name, each.frechet(theirs), n=each.count or 0, kind=Kind.UPPER, note="biased upwards at finite n: compare at this n only")
        for each in (ours, _of(evalset, evalset.heldout))
    ]  # fmt: skip
    return DistanceToFile(measures[0], measures[1], tuple(notes))


def _of(evalset: EvaluationSet, part: Embedded) -> FeatureStatistics:
    probe = probed(evalset.extract, evalset.space)
    return FeatureStatistics.of(part.features, evalset.feature_description, probe)


def _evalset(report: Report) -> EvaluationSet:
    if report.evalset is None:
        raise UsageError("this report is of a classifier, which drew nothing to have statistics of")
    return report.evalset
