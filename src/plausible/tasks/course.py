"""How a model was trained: its log, its budget and what it learned from, as far as its run knows."""

from dataclasses import dataclass
from pathlib import Path

from plausible.core.model import Model
from plausible.core.space import Space
from plausible.data.options import DEFAULTS, Options
from plausible.diagnosis.history import History
from plausible.runs.log import read_history
from plausible.tasks.trained import Trained
from plausible.training import Settings


@dataclass(frozen=True, eq=False)
class Course:
    """The course of one training.

    train, validation, heldout  examples in each part of its data.
    source     where the data are, a name or a path; empty where they were given in memory.
    folder     of the run.
    processes  that trained together.
    """

    model: Model
    settings: Settings
    history: History
    train: int
    validation: int
    heldout: int
    folder: Path
    source: str = ""
    options: Options = DEFAULTS
    processes: int = 1

    @property
    def items(self) -> str:
        """What its examples are called."""
        return items_of(self.model.space)

    @property
    def steps(self) -> int:
        """Rounds that were played, as the log has them; without one, those of the budget."""
        return self.history.steps or self.settings.steps or 0

    @property
    def iterates(self) -> bool:
        """Whether more rounds can change it: what has no learning rate is fitted to its end at once."""
        return hasattr(self.model.config, "lr")

    @property
    def unfinished(self) -> bool:
        """Whether it was stopped before its number of rounds was played."""
        return self.iterates and 0 < self.history.steps < (self.settings.steps or 0)


def items_of(space: Space) -> str:
    """What the examples of a space are called in a sentence."""
    return "images" if space.is_image else "points"


def course_of(trained: Trained) -> Course | None:
    """The course of a run, read from its log; None for a model that is kept in none."""
    run = trained.run
    if run is None:
        return None
    data = trained.data
    return Course(
        trained.model,
        run.settings,
        read_history(run.folder / "log.jsonl"),
        len(data.train),
        len(data.validation),
        len(data.heldout),
        run.folder,
        run.config["data"]["source"] or "",
        run.options,
        run.config["processes"],
    )
