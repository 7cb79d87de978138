"""plausible app."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro
from tyro.conf import Positional

from plausible.app.limits import AS_USUAL, Limits
from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.command import Command, commands
from plausible.cli.console import say
from plausible.core.errors import UsageError

_HOST = "Serve the page at this address; by default nobody but this machine reaches it."
_NEEDS = "plausible app needs gradio, which is not installed: pip install 'plausible[app]'"


@commands
@dataclass(frozen=True)
class App(Command):
    """A page in the browser: train and watch, sample, walk, ask about inputs, compare runs.

    Trainings that are begun there go on when the page or this command is ended.

    Example: plausible app runs
    """

    answers: ClassVar[type[Any]] = documents.Served
    name: ClassVar[str] = "app"
    usual: ClassVar[tuple[str, ...]] = ("port", "host", "no_browser")

    place: Annotated[Positional[Path], tyro.conf.arg(metavar="[RUN|FOLDER]")] = Path("runs")
    """Show this run first, or the runs in this folder."""
    port: int | None = None
    """Serve the page at this port; by default at the first from 7860 on that is free."""
    host: Annotated[str, tyro.conf.arg(metavar="ADDRESS", help=_HOST)] = "127.0.0.1"
    no_browser: bool = False
    """Print the address of the page, and open no browser."""
    max_samples: int = AS_USUAL.max_samples
    """Draw at most so many samples, or let at most so many chains walk, at once."""
    max_upload: int = AS_USUAL.max_upload
    """Take files of at most so many megabytes from the page."""
    max_trainings: int = AS_USUAL.max_trainings
    """Let at most so many trainings go on at once; more are refused until one ends."""
    max_waiting: int = AS_USUAL.max_waiting
    """Let at most so many requests wait for the model; more are refused until some are answered."""

    def run(self) -> None:
        """Serve the page until Ctrl-C."""
        is_run = (self.place / "config.json").is_file()
        if not self.place.is_dir() and self.place != Path("runs"):
            what = "is a file" if self.place.exists() else "does not exist"
            raise UsageError(f"{self.place} {what}: give a run, or a folder with runs in it")
        if self.port is not None and not 0 < self.port < 2**16:
            raise UsageError(f"--port must lie between 1 and 65535, not {self.port}")
        limits = Limits(self.max_samples, self.max_upload, self.max_trainings, self.max_waiting)
        if find_spec("gradio") is None:
            raise UsageError(_NEEDS)
        from plausible.app.server import served, wait
        from plausible.app.workplace import Workplace

        place = self.place.resolve() if is_run else self.place
        folder, chosen = (place.parent, place.name) if is_run else (place, "")
        work = Workplace(folder, chosen, self.host, limits)
        if not work.local:
            say(
                f"warning: at {self.host} everybody who can reach this machine can use the page: read these runs, "
                f"and begin trainings on this machine"
            )
        with served(work, self.port, browser=not self.no_browser) as address:
            answer(documents.Served(address), now=True)
            say(f"the page is at {address} (Ctrl-C ends it, and no training that was begun there)")
            wait()
