"""The folder of a new run: made when everything was accepted, and gone again when it was not."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from plausible.core.errors import UsageError
from plausible.core.model import Model
from plausible.models.per_class import PerClass
from plausible.models.refined.refined import Refined
from plausible.runs.checksums import CHECKSUMS
from plausible.runs.decoder import kept_decoder, of_caller
from plausible.runs.go_on import Start
from plausible.runs.lock import LOCK, OWNER
from plausible.runs.migrations import written_here
from plausible.runs.run import Run
from plausible.runs.warm_start import Initial
from plausible.runs.whereabouts import describe_data
from plausible.training import Training

_BEFORE_A_SAVE = ("config.json", "log.jsonl", "findings.json", CHECKSUMS)  # what a run may hold


def default_folder(model: str, data: str) -> Path:
    """runs/<model>-<data>-<time>, with a number behind it if that is taken."""
    stem = Path("runs") / f"{model}-{data}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (stem.with_name(f"{stem.name}-{i}") if i else stem for i in range(1000))
    return next(name for name in names if not name.exists())


def create(
    folder: Path | str,
    training: Training[Any],
    initial: Initial | None = None,
    start: Start | None = None,
    *,
    watch: bool = True,
) -> Run:
    """Make the folder of a new run and write its config.json; UsageError if the folder exists and holds anything.

    initial  the weights of another run that it begins with.
    start    the run whose model it goes on with.
    watch    whether it is monitored, on which the weights depend that are kept.
    """
    folder = Path(folder)
    model, data = training.raw, training.data
    config = {
        **written_here(training.threads),
        "model": model.name,
        "per_class": isinstance(model, PerClass),
        "config": asdict(model.decided),
        "space": model.space.to_dict(),
        "data": {
            **describe_data(folder, data),
            "options": asdict(data.options),
            "hashes": data.hashes,
            "class_names": list(data.class_names),
            "columns": list(data.columns),
            "label_column": data.label_column,
            "notes": [*data.notes, *_notes(model, data.class_names)],
        },
        "training": asdict(training.settings),
        "processes": training.world.size,
        "own_networks": list(of_caller(model.own_networks)),
        "init": None if initial is None else asdict(initial),
        **_going_on(model, start),
        **({} if watch else {"watch": False}),
    }
    made = tuple(place for place in (folder, *folder.parents) if not place.exists())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except FileExistsError:
        taken = True
    except OSError as error:
        raise UsageError(f"{folder} cannot be created: {error.strerror}") from error
    if taken:
        raise UsageError(f"{folder} exists, and a run is never overwritten: choose another")
    run = Run(folder)
    run.made = made
    run.write("config.json", json.dumps(config, indent=2) + "\n")
    return run


def _going_on(model: Model, start: Start | None) -> dict[str, Any]:
    """What is said of a run that goes on with the model of another one, and of no other run."""
    said = {
        "start": None if start is None else asdict(start),
        "refinement": asdict(model.refinement) if isinstance(model, Refined) else None,
        "decoder": kept_decoder(model.own_networks),
    }
    return {name: value for name, value in said.items() if value is not None}


def _notes(model: Model, names: Sequence[str]) -> tuple[str, ...]:
    """What a model decided, of one for each class with their names."""
    if isinstance(model, PerClass) and len(names) == model.space.classes:
        return model.notes_by_name(names)
    return model.notes


def clear_attempt(folder: Path) -> bool:
    """Make ready the folder of a job that is started again: whether it holds a save, to go on from.

    Whoever wrote there has ended.  Where nothing was saved, what was begun is taken away.
    """
    if not (folder / "config.json").exists():
        return False
    for name in (OWNER, LOCK):
        (folder / name).unlink(missing_ok=True)
    if (folder / "state.pt").exists():
        return True
    discard_unsaved(Run(folder))
    return False


def discard_unsaved(run: Run) -> None:
    """Take a new run away in which nothing was saved, with the folders that were made for it."""
    if (run.folder / "state.pt").exists():
        return
    for name in _BEFORE_A_SAVE:
        (run.folder / name).unlink(missing_ok=True)
    for folder in run.made:
        try:
            folder.rmdir()
        except OSError:  # somebody else has put something there
            return
