"""What the small files of a run hold, as shapes: see ``kept_json``."""

_TEXT, _LISTED = (str, type(None)), [str]
_NUMBER = (float, type(None))

CONFIG = {
    "format": int, "plausible": _TEXT, "threads": (int, type(None)),
    "model": str, "per_class": bool, "config": dict, "training": dict, "processes": int, "own_networks": _LISTED,
    "space": {"shape": [int], "levels": (int, type(None)), "classes": int, "whole": [int]},
    "data": {
        "name": str, "source": _TEXT, "from_run": _TEXT, "count": (int, type(None)), "options": dict,
        "hashes": {"train": str, "validation": str, "heldout": str},
        "class_names": _LISTED, "columns": _LISTED, "label_column": _TEXT, "notes": _LISTED,
    },
    "watch?": bool, "refinement?": (dict, type(None)), "decoder?": ({"model": str, "config": dict}, type(None)), "start?": ({"run": str, "weights": str}, type(None)),
    "init": ({"run": str, "taken": int, "weights": int, "new": _LISTED}, type(None)),
}  # fmt: skip
"""Of config.json, as ``migrated`` gives it."""

_NUMBERS = {"value?": _NUMBER, "stderr?": _NUMBER, "p?": _NUMBER, "note?": _TEXT,
            "interval?": ([_NUMBER], type(None))}  # fmt: skip
MEASURES = {
    "measures": [{"name": str, **_NUMBERS, "real?": ({"name?": str, **_NUMBERS}, type(None))}],
    "verdict?": ({"state": str, "n?": int, "defects?": [{"name": str, "state": str}]}, type(None)),
    "advice?": (
        {
            "state?": str, "defect?": str, "wrong?": str, "right?": str, "undecided?": str, "because?": str, "limit?": _TEXT,
            "evidence?": dict, "next?": [dict], "too_short?": (str, bool),
        },
        type(None),
    ),
    "seal?": (dict, type(None)),
}  # fmt: skip
"""Of measures.json."""

FINDINGS = [
    {
        "check?": str,
        "phenomenon?": str,
        "severity": str,
        "claim": str,
        "evidence": dict,
        "remedy?": str,
    }
]
"""Of findings.json."""

LOG_LINE = {
    "step": int, "progress": float, "images?": int, "seconds?": float, "alarms?": _LISTED, "micro_batch?": int,
}  # fmt: skip
"""Of a line of log.jsonl, beside what the players and the probes said."""
