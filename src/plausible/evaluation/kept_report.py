"""What measures.json holds, as the report that wrote it: everything but the points that were compared."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from plausible.core.likelihood import Kind
from plausible.evaluation.measure import Measure
from plausible.evaluation.metrics.histogram import ModeShare
from plausible.evaluation.report import Report
from plausible.evaluation.seal import Seal
from plausible.evaluation.verdict.verdict import State, TestResult, Verdict

T = TypeVar("T")

_KINDS = {kind.sign: kind for kind in Kind}


def kept_report(kept: Mapping[str, Any]) -> Report:
    """The report of an evaluation from its ``to_dict``; what an older one does not say is left empty.

    KeyError, TypeError or ValueError where it is no such thing.
    """
    verdict, sealed = kept.get("verdict"), kept.get("seal")
    return Report(
        [(_measure(each), _real(each)) for each in kept["measures"]],
        None if verdict is None else _verdict(verdict),
        [_made(ModeShare, share) for share in kept.get("classes", ())],
        kept.get("samples", 0),
        kept.get("compared", 0),
        kept.get("features", ""),
        kept.get("reference_accuracy"),
        seal=None if sealed is None else _made(Seal, sealed),
    )


def _measure(kept: Mapping[str, Any]) -> Measure:
    values = {**kept, "kind": _KINDS[kept.get("kind", Kind.ESTIMATE.sign)]}
    return _made(Measure, {"value": None, **values, "interval": _pair(kept.get("interval"))})


def _real(kept: Mapping[str, Any]) -> Measure | None:
    return _measure(kept["real"]) if kept.get("real") else None


def _verdict(kept: Mapping[str, Any]) -> Verdict:
    results = (
        _made(
            TestResult,
            {**each, "state": State(each["state"]), "interval": _pair(each.get("interval"))},
        )
        for each in kept["defects"]
    )
    return Verdict(kept["n"], tuple(results))


def _pair(kept: list[float] | None) -> tuple[float, float] | None:
    return None if kept is None else (kept[0], kept[1])


def _made(kind: type[T], values: Mapping[str, Any]) -> T:
    """One of these from the values that it knows."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in values.items() if name in known})
