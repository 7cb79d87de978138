"""plausible resume."""

import sys
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from plausible.cli import documents
from plausible.cli.arguments import (
    MANY_TIMES,
    DataPlace,
    Device,
    Evaluated,
    GoOnLogTo,
    OnFailure,
    Positive,
    RunFolder,
    Verbose,
    Watch,
)
from plausible.cli.checks import check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import say, say_notes
from plausible.cli.ranks import become_ranks
from plausible.core.bounds import MINUTES, THREADS
from plausible.core.choices import Compile
from plausible.core.errors import UsageError
from plausible.data.source import resolve_source


@commands
@dataclass(frozen=True)
class Resume(Command):
    """Go on with a run exactly where it stopped, or to a new total.

    Example: plausible resume runs/gan-digits-20260101-120000 --steps 8000
    """

    answers: ClassVar[type[Any]] = documents.Learned
    run_folder: RunFolder
    steps: Positive | None = None
    """A new total number of rounds, those already played counted; by default the run's own."""
    minutes: Annotated[float, MINUTES] | None = None
    """A new total number of wall-clock minutes, those already spent counted."""
    data: DataPlace = None
    on_failure: OnFailure = "rollback"
    watch: Watch = True
    processes: Annotated[int, MANY_TIMES] | None = None
    """The number of processes that go on with it, on equal shards of every batch; by default as many as before."""
    compile: Compile | None = None
    """Compile what each player computes in a round, or no longer; by default as before."""
    threads: Annotated[int, THREADS] | None = None
    """The number of threads of the processor that compute from now on in each process; by default as many as before."""
    evaluate: Evaluated = True
    verbose: Verbose = False
    log_to: GoOnLogTo = None
    device: Device = "auto"

    def run(self) -> None:
        """Resume with as many processes as before or as asked for, evaluate again unless told otherwise."""
        check_run(self.run_folder)
        if self.data is not None:
            resolve_source(self.data)
        from plausible.cli.play import play
        from plausible.cli.refine import show_beside_start
        from plausible.core.device import resolve_device
        from plausible.runs import Run
        from plausible.runs.mirrors import check_mirrors
        from plausible.runs.saving import resuming_notes
        from plausible.tasks.start import restart
        from plausible.training import distributed

        check_mirrors(self.log_to or ())
        run = Run(self.run_folder)
        processes = self.processes or run.config["processes"]
        if processes > 1 and not distributed.launched():
            become_ranks(processes, sys.argv[1:])
        world = distributed.join(resolve_device(self.device))
        notes = resuming_notes(run, world.size, self.compile, self.threads)
        run, training = restart(
            run,
            steps=self.steps,
            minutes=self.minutes,
            data=self.data,
            compile=self.compile,
            threads=self.threads,
            device=self.device,
            world=world,
        )
        judged = (run.folder / "measures.json").exists() or not self.evaluate
        if training.finished and judged and not distributed.restarts():
            raise UsageError(
                f"{run.folder} has used its budget: give a larger total with --steps or --minutes"
            )
        if training.world.leads:
            say_notes((*training.data.notes, *notes))
            if training.finished:
                say(f"{run.folder} has used its budget, so nothing more is learned; it is judged")
        play(run, training, self)
        if run.refinement is not None and self.evaluate:
            show_beside_start(run)
