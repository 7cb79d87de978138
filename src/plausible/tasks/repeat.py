"""Train again as a run was trained: all that it was told, as flags, and what will make the result another one."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from plausible.core.errors import UsageError
from plausible.data.options import DEFAULTS
from plausible.data.part import Data
from plausible.data.source import NAMES, has_no_path
from plausible.runs import Run
from plausible.tasks.commands import BYTES, IN_TRAINING, Flags, changed
from plausible.tasks.start import configuration
from plausible.training import Settings


def flags_of_run(run: Run) -> Flags:
    """All that a run was told and that is not so by default, its data and its budget among them.

    Raises UsageError for a run that ``plausible train`` did not make: a refined one, or one of networks of its author.
    """
    config = run.config
    if run.refinement is not None:
        start = config["start"]["run"]
        raise UsageError(
            f"{run.folder} is a refined run, which plausible refine makes: plausible refine {start}"
        )
    if config["own_networks"]:
        raise UsageError(
            f"{run.folder} is made of networks of its author, whose code a run does not keep: train it in Python"
        )
    flags: Flags = {}
    begun = None
    if config["init"] is not None:
        begun = Run(config["init"]["run"])
        flags["--init"] = [config["init"]["run"]]
    if config.get("decoder") is not None:
        flags["--from"] = [config["start"]["run"]]
    chosen = asdict(run.model_config)
    flags |= changed(chosen, asdict(configuration(run.kind, None, begun)))
    flags |= _of_data(run)
    flags |= _of_training(run.settings)
    if run.per_class:
        flags["--per-class"] = []
    if config["processes"] > 1:
        flags["--processes"] = [str(config["processes"])]
    if not config.get("watch", True):
        flags["--no-watch"] = []
    return flags


def differences(run: Run, data: Data, settings: Settings) -> tuple[str, ...]:
    """Why a run that is repeated with these data and settings will not end bit for bit as it did, in sentences."""
    threads = torch.get_num_threads() if settings.threads is None else settings.threads
    found = []
    if data.hashes != run.hashes:
        found.append(f"these data are not those of {run.folder}: the result will be another")
    elif run.settings.minutes is not None:
        found.append(
            f"{run.folder} was trained for minutes, which are never as many rounds twice: --steps repeats them exactly"
        )
    elif run.threads not in (None, threads) and threads != "auto":
        found.append(
            f"{run.folder} was trained by {run.threads} threads and this is by {threads}: sums are rounded in another order "
            f"(--threads {run.threads} keeps it)"
        )
    return tuple(found)


def _of_data(run: Run) -> Flags:
    """Where its data are, and how they are shaped; what is decided about data is decided again."""
    kept: Mapping[str, Any] = run.config["data"]
    flags = changed(asdict(run.options), asdict(DEFAULTS))
    if kept["source"] in NAMES or flags.get("--value-range") == BYTES:
        flags.pop("--value-range", None)
    place = kept["source"]
    if place and not has_no_path(place) and not Path(place).exists():
        beside = run.folder / (kept["from_run"] or "")
        place = str(beside) if kept["from_run"] and beside.exists() else place
    if place:
        flags["--data"] = [place]
    return flags


def _of_training(settings: Settings) -> Flags:
    """Its budget, and how it was trained."""
    training, plain = asdict(settings), asdict(Settings())
    flags = changed(*({name: values[name] for name in IN_TRAINING} for values in (training, plain)))
    if settings.minutes is not None:
        return flags | {"--minutes": [f"{settings.minutes:g}"]}
    return flags | {"--steps": [str(settings.steps)]}
