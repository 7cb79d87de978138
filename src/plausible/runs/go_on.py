"""Go on with the model of another run by another game: which run it was, and its weights taken whole."""

import hashlib
from dataclasses import dataclass
from typing import Any

from plausible.core.errors import UsageError
from plausible.models.refined.refined import Refined
from plausible.runs.run import Run
from plausible.training import Training


@dataclass(frozen=True)
class Start:
    """The run that another one begins with.

    run      its folder.
    weights  SHA-256 of the weights that were taken.
    """

    run: str
    weights: str

    def __str__(self) -> str:
        return f"begins with the model of {self.run} (weights {self.weights[:16]})"


def start_of(run: Run) -> Start | None:
    """What a run goes on with; None where it begins by itself."""
    kept = run.config.get("start")
    return None if kept is None else Start(**kept)


def named_start(run: Run) -> Start:
    """A run, with the hash of its best weights as they are now."""
    path = run.folder / "weights.safetensors"
    if not path.exists():
        raise UsageError(f"{run.folder} holds no weights.safetensors yet: nothing was saved")
    return Start(str(run.folder), hashlib.sha256(path.read_bytes()).hexdigest())


def go_on(training: Training[Any], run: Run) -> Start:
    """Take the best weights of a run into the training of a refined model that has not begun."""
    started, weights = named_start(run), run.model().state_dict()
    for model in (training.raw, training.averaged):
        assert isinstance(model, Refined)
        model.begin_with(weights)
    return started
