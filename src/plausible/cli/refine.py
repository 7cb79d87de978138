"""plausible refine."""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import tyro
from tyro.conf import OmitArgPrefixes

from plausible.cli import documents
from plausible.cli.answer import answer, answered
from plausible.cli.arguments import (
    DataPlace,
    Device,
    Evaluated,
    LogTo,
    OnFailure,
    Positive,
    RunFolder,
    Verbose,
    Watch,
)
from plausible.cli.checks import check_new_run, check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import console, progress_bar, say, say_notes
from plausible.core.bounds import MINUTES, NATURAL
from plausible.core.refinement import RefinementConfig
from plausible.data.source import resolve_source

if TYPE_CHECKING:
    from plausible.runs import Run

Game = Annotated[
    OmitArgPrefixes[RefinementConfig],
    tyro.conf.arg(help=""),  # or tyro looks for a sentence in the source, which takes long
]
_DEFAULTS = RefinementConfig()


@commands
@dataclass(frozen=True)
class Refine(Command):
    """Improve the model of a run by a game, as a run of its own, and say what that won and cost.

    Example: plausible refine runs/vae-digits-20260101-120000 --minutes 2
    """

    answers: ClassVar[type[Any]] = documents.Learned
    usual: ClassVar[tuple[str, ...]] = (
        "objective", "minutes", "steps", "likelihood_weight", "lr", "data", "out",
    )  # fmt: skip
    titles: ClassVar[dict[str, str]] = {"game": "game"}
    run_folder: RunFolder
    game: Game = _DEFAULTS
    steps: Positive | None = None
    """The number of rounds to play; by default a quarter of those that suit the model."""
    minutes: Annotated[float, MINUTES] | None = None
    """The number of wall-clock minutes to play, instead of a number of steps."""
    data: DataPlace = None
    out: Path | None = None
    """The folder of the new run, new or empty; by default runs/<model>-refined-<data>-<time>."""
    seed: Annotated[int, NATURAL] = 0
    """The seed of the discriminator, the data order and all noise: the same seed refines alike."""
    on_failure: OnFailure = "rollback"
    watch: Watch = True
    evaluate: Evaluated = True
    verbose: Verbose = False
    log_to: LogTo = ()
    device: Device = "auto"

    def run(self) -> None:
        """Play the game, judge the refined, and show it beside its start."""
        check_run(self.run_folder)
        if self.data is not None:
            resolve_source(self.data)
        if self.out is not None:
            check_new_run(self.out)
        from plausible.cli.play import play
        from plausible.runs import Run
        from plausible.runs.go_on import start_of
        from plausible.runs.mirrors import check_mirrors
        from plausible.tasks.refine import begin_refining
        from plausible.training import Settings

        check_mirrors(self.log_to)
        start = Run(self.run_folder)
        run, training = begin_refining(
            start, self.game, settings=Settings(self.steps, self.minutes, self.seed),
            out=self.out, data=self.data, device=self.device,
        )  # fmt: skip
        say_notes(training.data.notes)
        say(f"{start_of(run)}, and plays the game {training.raw.refinement.objective}")
        play(run, training, self)
        if self.evaluate:
            show_beside_start(run, start)


def show_beside_start(run: "Run", start: "Run | None" = None) -> None:
    """A refined run beside its start, where both could be judged."""
    if run.judged is None:
        return
    from plausible.cli import display
    from plausible.core.errors import NotDefined, UsageError
    from plausible.tasks import before_after

    say("judging its start in the same way")
    try:
        with progress_bar("reading") as progress:
            found = before_after(run, start, progress=progress)
    except (NotDefined, UsageError) as reason:
        say(f"not compared with its start: {reason}")
        return
    if (before := answered()) is not None:
        answer(replace(before, beside_start=found.sentence))
    console.print(display.before_after(found), highlight=False)
    say(f"the measures of the start in {shlex.quote(str(run.folder / 'start'))}")
