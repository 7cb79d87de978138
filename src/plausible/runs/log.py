"""log.jsonl: a line for every few rounds of a training."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plausible.core.errors import UsageError


def read_log(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each whole line of a log, as it is written and what it says; none if there is no file.

    UsageError, by its number, where a line is not one of a log; a last one cut short is left out.
    """
    text = path.read_text(errors="replace") if path.exists() else ""
    for number, raw in enumerate(text.splitlines(keepends=True), 1):
        if raw.endswith("\n"):
            try:
                line = json.loads(raw)
                step, spent = line["step"], line["spent"]
            except (ValueError, KeyError, TypeError):
                step = spent = None
            if not isinstance(step, int) or not isinstance(spent, int | float):
                raise UsageError(f"line {number} of {path} is not one of the log of a training")
            yield raw, line
