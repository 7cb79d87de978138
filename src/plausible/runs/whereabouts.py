"""Where the data of a run are, and whether they are still those that it learned from."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from plausible.core.errors import UsageError
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.part import Data
from plausible.data.source import has_no_path

Request = Literal["resume", "evaluate", "diagnose", "score", "inputs"]
"""What the data are asked for."""

_PARTS = {"train": "training", "validation": "validation", "heldout": "held-out"}
_ELSE: Mapping[Request, str] = {
    "resume": "a run goes on with the data it began with: give them as they were (--data PATH), or begin another "
    "run with these, from its weights if you like (plausible train --init RUN)",
    "evaluate": "give the data as they were (--data PATH), or judge its samples beside any others "
    "(plausible evaluate --samples)",
    "diagnose": "give the data as they were (--data PATH), or leave out --data to go by the log of its training",
    "score": "give the data as they were (--data PATH)",
    "inputs": "give the data as they were (--data PATH), or files",
}
_CALIBRATED = "leave out --data, because it answers by the calibration that it keeps"


class DataGone(UsageError):
    """The data of a run are not where they were, or not what they were; the sentence says which, and what to do."""


def find_data(
    folder: Path,
    kept: Mapping[str, Any],
    options: Options,
    source: str | None = None,
    request: Request = "evaluate",
) -> Data:
    """The data of the run in a folder: from ``source``, or else from where they were, or lie beside the run now.

    kept     what its config.json says of them.
    options  how they were shaped.
    Where they were is tried as it is; then as it lay from the run, which may have moved with its data; then
    what is left of the path below the run and below the current folder, so long as the hashes are right.
    Raises DataGone.
    """
    place = source or kept["source"]
    if not place:
        raise DataGone(
            f"{folder} learned from arrays in memory: give its data, as --data PATH or in Python"
        )
    if source is not None:
        return check_data(folder, kept, load(source, options), source, request)
    if has_no_path(place) or Path(place).exists():
        return check_data(folder, kept, _read_again(folder, place, options), place, request)
    gone, others = f"the data of {folder} are no longer at {place}", ""
    for other in _others(folder, kept):
        with contextlib.suppress(UsageError):  # of another kind altogether
            data = load(str(other), options)
            if data.hashes == kept["hashes"]:
                note = f"{gone}: they were read from {other}"
                return replace(data, notes=(*data.notes, note))
        others = f", and what is at {other} are others"
    raise DataGone(f"{gone}{others}: say where they are with --data PATH")


def check_data(
    folder: Path, kept: Mapping[str, Any], data: Data, place: str, request: Request
) -> Data:
    """The same data; DataGone where they are not those of the run in this folder."""
    changed = [name for part, name in _PARTS.items() if data.hashes[part] != kept["hashes"][part]]
    if not changed:
        return data
    *others, last = changed
    parts = f"{', '.join(others)} and {last} parts" if others else f"{last} part"
    verb = "have" if others else "has"
    advice = _ELSE[request]
    if request == "score" and (folder / "calibration.safetensors").exists():
        advice = f"{advice}, or {_CALIBRATED}"
    raise DataGone(
        f"the {parts} of {place} {verb} changed since {folder} was trained{_grown(data, kept)}: {advice}"
    )


def _read_again(folder: Path, place: str, options: Options) -> Data:
    """The data where they were; DataGone where what is there now cannot be read."""
    try:
        return load(place, options)
    except UsageError as reason:
        raise DataGone(
            f"the data of {folder} cannot be read as they were: {reason}; or say where they are with --data PATH"
        ) from reason


def describe_data(folder: Path, data: Data) -> dict[str, Any]:
    """What config.json says of the data, so that they are found and known again."""
    beside = None
    if Path(data.source).is_absolute():
        with contextlib.suppress(ValueError):  # on another drive
            beside = os.path.relpath(Path(data.source), folder.resolve())
    return {
        "name": data.name,
        "source": data.source,
        "from_run": beside,
        "count": _count(data),
    }


def _others(folder: Path, kept: Mapping[str, Any]) -> Iterator[Path]:
    """Existing places where the data may be now, each once, the likeliest first."""
    parts = Path(kept["source"]).parts[1:]
    tails = [Path(*parts[k:]) for k in range(len(parts))]
    beside = [folder / kept["from_run"]] if kept["from_run"] else []
    seen = set()
    for place in [*beside, *(base / tail for base in (folder, Path.cwd()) for tail in tails)]:
        whole = place.resolve()
        if whole not in seen and place.exists():
            seen.add(whole)
            yield whole


def _grown(data: Data, kept: Mapping[str, Any]) -> str:
    """By how much, where the run knows how many there were."""
    now, before = _count(data), kept["count"]
    if before is None or now == before:
        return ""
    if now > before:
        return f" (they have grown from {before:,} items to {now:,})"
    return f" (of {before:,} items {now:,} are left)"


def _count(data: Data) -> int:
    return len(data.train) + len(data.validation) + len(data.heldout)
