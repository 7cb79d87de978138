"""config.json of every format that a run was ever written in, brought to today's.

A run says its ``format``; one without that word is of format 1, which is that of plausible 0.1.0 and of what came before
formats had numbers.  A field that only joins one of the dataclasses there (Config, Settings, Options) and has a default
is no new format, because a run without it means the default.  All else that is moved, renamed or joins is one: raise
``FORMAT``, write what brings an older config.json to it, and keep a small run of it in tests/runs/kept.
``start``, ``refinement`` and ``decoder`` are there only where a run goes on with the model of another one, ``watch``
only where it is false.
Logs have their own words, see ``log``.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from plausible.core.errors import UsageError
from plausible.data.source import NAMES

FORMAT = 2
"""In which runs are written today."""

T = TypeVar("T")
Config = dict[str, Any]
"""What config.json holds."""

_KEYS = ("model", "config", "space", "data", "training")  # of every format


class NotARun(UsageError):
    """A config.json of something else than a run."""


class NewerRun(UsageError):
    """A run of a format that came after this program; the sentence says who wrote it."""


def data_in_full(config: Config) -> Config:
    """1 -> 2: columns, the column of the classes, notes, number and place beside the run are always said."""
    said: Config = {
        "columns": [],
        "label_column": None,
        "notes": [],
        "count": None,
        "from_run": None,
    }
    return {**config, "data": said | config["data"]}


def followed_links(config: Config) -> Config:
    """1 -> 2: links that led out of the folder of the data were followed."""
    data = config["data"]
    if data["source"] in ("", *NAMES):
        return config
    return {**config, "data": {**data, "options": {"follow_links": True} | data["options"]}}


def whole_numbers(config: Config) -> Config:
    """1 -> 2: a space says which coordinates are whole numbers; none were."""
    return {**config, "space": {"whole": []} | config["space"]}


def chosen_networks(config: Config) -> Config:
    """1 -> 2: a GAN says which networks were chosen for its space: conv for images from 8 pixels on, otherwise mlp."""
    kept, shape = config["config"], config["space"]["shape"]
    if config["model"] != "gan" or config.get("own_networks") or kept["architecture"]:
        return config
    is_image = len(shape) == 3 and min(shape[1:]) >= 8
    return {**config, "config": {**kept, "architecture": "conv" if is_image else "mlp"}}


def run_in_full(config: Config) -> Config:
    """1 -> 2: who wrote it, on how many threads, one model a class, own networks and what it began with are always said."""
    unsaid = {"plausible": None, "threads": None, "per_class": False}
    return unsaid | {"own_networks": [], "init": None} | config


MIGRATIONS: tuple[tuple[int, Callable[[Config], Config]], ...] = (
    (2, data_in_full),
    (2, followed_links),
    (2, whole_numbers),
    (2, chosen_networks),
    (2, run_in_full),
)
"""(the format that it belongs to, what brings the one before to it), in the order in which they are done."""


def migrated(config: Any, path: Path, advice: str = "") -> Config:
    """What config.json of any format holds, as it is written today.

    advice  what to do about one that is damaged.
    UsageError: it is none of a run, damaged, or of a format that came after this program.
    """
    more = advice and f"; {advice}"
    if not isinstance(config, dict):
        raise NotARun(f"{path} is not that of a run{more}")
    if missing := [key for key in _KEYS if key not in config]:
        raise NotARun(f"{path} is not that of a run: {missing[0]} is missing{more}")
    found = config.get("format", 1)
    if not isinstance(found, int) or found < 1:
        raise UsageError(
            f"{path} says that its format is {found!r}, and formats are 1, 2, ...{more}"
        )
    if found > FORMAT:
        raise NewerRun(_newer(path, found, config.get("plausible")))
    try:
        for belongs_to, migration in MIGRATIONS:
            if found < belongs_to:
                config = migration(config)
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is not that of a run of format {found}: {error!r}{more}"
        ) from error
    return {**config, "format": FORMAT}


def choices(kind: type[T], values: Mapping[str, Any], path: Path, place: str, by: str | None) -> T:
    """The choices of one kind (Config, Settings, Options); UsageError where there are some that this program does not know.

    path, place  of the file, and where in it they stand.
    by           which plausible wrote them, where that is known.
    """
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = [name for name in values if name not in known]
    if not unknown:
        return kind(**values)
    raise UsageError(
        f"{path} has choices that plausible {version('plausible')} does not know ({place}: {', '.join(unknown)}): "
        f"open it with the plausible that wrote it{(by and f', {by}') or ''}"
    )


def written_here(threads: int) -> Config:
    """What config.json says of the program that writes it, and on how many threads it trains."""
    return {
        "format": FORMAT,
        "plausible": version("plausible"),
        "threads": threads,
    }


def _newer(path: Path, found: int, by: object) -> str:
    here = f"plausible {version('plausible')} reads formats up to {FORMAT}"
    if not isinstance(by, str):
        return f"{path} is of format {found}, and {here}: open it with a newer plausible"
    return f"{path} is of format {found}, written by plausible {by}, and {here}: open it with plausible {by} or newer"
