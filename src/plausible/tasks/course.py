"""How a model was trained: its log, its budget and what it learned from, as far as its run knows."""

from dataclasses import dataclass
from pathlib import Path

from plausible.core.model import Model
from plausible.core.refinement import RefinementConfig
from plausible.core.space import Space
from plausible.data.options import DEFAULTS, Options
from plausible.diagnosis.history import History
from plausible.runs.go_on import start_of
from plausible.runs.log import read_history
from plausible.runs.whereabouts import DataGone
from plausible.tasks.trained import Trained
from plausible.training import Settings

FEW = 0.03
"""The share of the rounds needed, below which a training is too short to be judged."""


@dataclass(frozen=True, eq=False)
class Course:
    """The course of one training.

    train, validation, heldout  examples in each part of its data; 0 where they are gone.
    source     where the data are, a name or a path; empty where they were given in memory.
    folder     of the run.
    processes  that trained together.
    start, refinement  the run whose model it went on with, and by which game; empty and None where it began by itself.
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
    start: str = ""
    refinement: RefinementConfig | None = None

    @property
    def items(self) -> str:
        """What its examples are called."""
        return items_of(self.model.space)

    @property
    def steps(self) -> int:
        """Rounds that were played, as the log has them; without one, those of the budget."""
        return self.history.steps or self.settings.steps or 0

    @property
    def needed(self) -> int:
        """About how many rounds such a model takes on such data: its default, and fewer of larger batches."""
        return rounds_needed(self.model)

    @property
    def too_short(self) -> bool:
        """Whether it was played for so few rounds that what came of it says nothing."""
        began = self.refinement is None
        return began and self.model.iterates and 0 < self.steps < FEW * self.needed

    @property
    def unfinished(self) -> bool:
        """Whether it was stopped before its number of rounds was played."""
        return self.model.iterates and 0 < self.history.steps < (self.settings.steps or 0)


def rounds_needed(model: Model) -> int:
    """About how many rounds a model takes on such data: its default, and fewer of larger batches."""
    return max(1, round(model.default_steps * min(1.0, model.default_batch / model.batch)))


def items_of(space: Space) -> str:
    """What the examples of a space are called in a sentence."""
    return "images" if space.is_image else "points"


def course_of(trained: Trained) -> Course | None:
    """The course of a run, read from its log; None for a model that is kept in none."""
    run = trained.run
    if run is None:
        return None
    sizes = _sizes(trained)
    return Course(
        trained.model,
        run.settings,
        read_history(run.folder / "log.jsonl"),
        *sizes,
        run.folder,
        run.config["data"]["source"] or "",
        run.options,
        run.config["processes"],
        "" if (start := start_of(run)) is None else start.run,
        run.refinement,
    )


def _sizes(trained: Trained) -> tuple[int, int, int]:
    try:
        data = trained.data_for("diagnose")
    except DataGone:
        return 0, 0, 0
    return len(data.train), len(data.validation), len(data.heldout)
