"""A run as it is given away: its best weights and its configuration, without the places of whoever trained it, and with checksums."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch

from plausible.core.errors import UsageError
from plausible.data.hub_name import hub_name, is_hub
from plausible.data.source import has_no_path
from plausible.models.refined.refined import own_weights
from plausible.runs.checksums import CHECKSUMS, Condition, condition, write_noted
from plausible.runs.files import write
from plausible.runs.run import Run
from plausible.runs.saving import CONFIG

WEIGHTS = "weights.safetensors"
CARD = "README.md"
GIVEN = (CONFIG, WEIGHTS, CHECKSUMS, CARD)
"""All files of a model that was given away; the last one is for people."""
UNNAMED = "private-data"
"""What data are called that somebody has on their own machine."""
_ELSEWHERE = "another run"


def public_source(run: Run) -> str:
    """What everybody finds its data by, a set by name or of the hub; empty where they are somebody's own."""
    source = run.config["data"]["source"] or ""
    return source if has_no_path(source) and not _is_folder(source) else ""


def _is_folder(source: str) -> bool:
    """Whether "hub:..." stands for a folder; also for one that is gone."""
    if not is_hub(source):
        return False
    try:
        return hub_name(source).local
    except UsageError:
        return True


def given_config(run: Run, data_name: str | None = None) -> dict[str, Any]:
    """config.json without paths, names of files and notes on them.

    data_name  what its data are called there; by default their own name where everybody has them.
    UsageError for a model made of networks whose code a run does not keep.
    """
    if run.config["own_networks"]:
        raise UsageError(
            f"{run.folder} is made of networks of its author, whose code a run does not keep: nobody could open it"
        )
    config, source = copy.deepcopy(run.config), public_source(run)
    kept = config["data"]
    name = data_name or (kept["name"] if source else UNNAMED)
    config["data"] = {**kept, "name": name, "source": source, "from_run": None, "notes": []}
    for begun in ("init", "start"):
        if config.get(begun):
            config[begun] = {**config[begun], "run": _ELSEWHERE}
    return config


def write_given(run: Run, config: Mapping[str, Any], folder: Path) -> None:
    """Configuration and best weights of a run, in a folder, each with its checksum."""
    own = own_weights(run.weights())  # without what it was refined against
    weights = {name: tensor.contiguous() for name, tensor in own.items()}
    noted: dict[str, object] = {CONFIG: json.dumps(config)}
    if (steps := run.steps()) is not None:
        noted["steps"] = steps
    if (
        run.progress == 1
    ):  # the best weights may be older than the end, and nothing else says that there was one
        noted["converged"] = True
    content = safetensors.torch.save(weights, {name: str(value) for name, value in noted.items()})
    write_noted(folder / CONFIG, json.dumps(config, indent=2) + "\n")
    write_noted(folder / WEIGHTS, content)


def write_taken(files: Mapping[str, bytes], folder: Path, place: str) -> Run:
    """The run of files that somebody gave away, in a folder; opened once.

    place  where they are from, for the sentence.
    UsageError: a file is missing, or not what its checksum says; the weights are of no model that is known here.
    """
    if missing := [name for name in GIVEN if name not in files and name != CARD]:
        raise UsageError(f"{place} holds no model of plausible: {' and '.join(missing)} missing")
    for name in GIVEN:
        if name in files:
            write(folder / name, files[name])
    wrong = [name for name in (CONFIG, WEIGHTS) if condition(folder / name) is not Condition.WHOLE]
    if wrong:
        raise UsageError(
            f"{' and '.join(wrong)} of {place} {'is' if len(wrong) == 1 else 'are'} not what was pushed: the checksums differ"
        )
    run = Run(folder)
    run.model()
    return run
