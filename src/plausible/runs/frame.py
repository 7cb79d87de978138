"""Columns as people take them on: a DataFrame where pandas is there, plain lists otherwise."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

_MEASURE = ("name", "value", "stderr", "p", "n", "kind", "unit", "direction", "note")


def frame(columns: Mapping[str, list[Any]]) -> Any:
    """{column: values} as a pandas DataFrame; as it is where pandas is not installed."""
    try:
        made = import_module("pandas").DataFrame
    except ImportError:
        return dict(columns)
    return made(dict(columns))


def flat_measures(measures: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """{column: one value a measure} of what measures.json holds, with the ends of the interval and the value of real data."""
    columns: dict[str, list[Any]] = {
        name: [measure.get(name) for measure in measures] for name in _MEASURE
    }
    intervals = [measure.get("interval") or (None, None) for measure in measures]
    columns["low"], columns["high"] = ([ends[k] for ends in intervals] for k in (0, 1))
    columns["real"] = [(measure.get("real") or {}).get("value") for measure in measures]
    return columns
