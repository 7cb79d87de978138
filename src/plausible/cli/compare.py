"""plausible compare."""

import shlex
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import MANY_TIMES, PAGE, Device, Judged, Positive
from plausible.cli.checks import check_output_folder
from plausible.cli.command import Command, commands
from plausible.cli.console import console, progress_bar, say, say_notes
from plausible.core.bounds import MINUTES
from plausible.core.errors import UsageError
from plausible.data.options import DEFAULTS, Options
from plausible.data.source import resolve_source

if TYPE_CHECKING:
    from plausible.tasks import Compared, RunResult
    from plausible.tasks.eyes import StageProgress


@commands
@dataclass(frozen=True)
class Compare(Command):
    """Which family for these data?  Train several on the same split and budget, or take runs, and put them in one table.

    Example: plausible compare gan vae diffusion --data my-folder --minutes 10
    """

    answers: ClassVar[type[Any]] = documents.ComparedFamilies
    usual: ClassVar[tuple[str, ...]] = ("data", "minutes", "seeds", "out")
    entrants: Annotated[
        Positional[tuple[str, ...]],
        tyro.conf.arg(
            name="model",
            metavar="MODEL|RUN...",
            help="Families to train, such as gan and vae, and folders of runs; or the folder of a comparison to go on with.",
        ),
    ]
    data: str | None = None
    """Learn from these data, a name or a path; by default those of the runs, otherwise the digits."""
    preparation: OmitArgPrefixes[Options] = DEFAULTS
    minutes: Annotated[float, MINUTES] | None = None
    """Train each family for so many wall-clock minutes; by default for as many rounds as suit it."""
    steps: Positive | None = None
    """Train each family for so many rounds in the place of minutes."""
    seeds: Annotated[int, MANY_TIMES] = 1
    """Train each family so many times, with the seeds 0, 1, ...; means then have an interval."""
    n: Judged = 5000
    """Judge by no more samples, and held-out examples, than this."""
    out: Path | None = None
    """Write to this folder; by default comparisons/<data>-<time>."""
    device: Device = "auto"

    def run(self) -> None:
        """Train, judge, show the table; on Ctrl-C say how to go on."""
        before = self._check()
        from plausible.cli import display

        with progress_bar("reading") as progress:
            compared = self._go_on(before, progress) if before else self._begin(progress)
        folder = shlex.quote(str(compared.folder))
        page = None
        if compared.finished or any(family.finished for family in compared.families):
            console.print(display.compared(compared), highlight=False)
            page = _page(compared)
            say(f"table and runs in {compared.folder}; as a page: {page}")
        _answer(compared, page)
        if not compared.finished:
            say(f"stopped and saved; go on with: plausible compare {folder}")
            sys.exit(130)

    def _begin(self, progress: "StageProgress") -> "Compared":
        from plausible.tasks import compare

        folder = self._folder()
        say(f"comparing in {folder}; if it is stopped, plausible compare {folder} goes on")
        return compare(
            self.entrants,
            self.data,
            steps=self.steps,
            minutes=self.minutes,
            seeds=self.seeds,
            out=folder,
            options=self.preparation,
            n=self.n,
            device=self.device,
            progress=progress,
            on_notes=say_notes,
            on_result=_say_result,
        )

    def _go_on(self, folder: Path, progress: "StageProgress") -> "Compared":
        from plausible.tasks import continue_comparison

        return continue_comparison(
            folder,
            self.data,
            device=self.device,
            progress=progress,
            on_notes=say_notes,
            on_result=_say_result,
        )

    def _folder(self) -> Path:
        """Where a new comparison goes."""
        from plausible.tasks.compare import default_folder

        runs = [Path(entrant) for entrant in self.entrants if Path(entrant).is_dir()]
        name = "runs" if runs and self.data is None else resolve_source(self.data or "digits").name
        return self.out or default_folder(name)

    def _check(self) -> Path | None:
        """The comparison that is gone on with, if so; refuse what can be refused without reading anything."""
        if self.data is not None:
            resolve_source(self.data)
        if len(self.entrants) == 1 and (Path(self.entrants[0]) / "comparison.json").is_file():
            given = {"steps", "minutes", "seeds", "out", "n", "preparation"}
            changed = [
                each.name for each in fields(self) if getattr(self, each.name) != each.default
            ]
            if given & set(changed):
                raise UsageError(
                    f"{self.entrants[0]} is gone on with as it was begun: beside it go only --data and --device"
                )
            return Path(self.entrants[0])
        if not self.entrants:
            raise UsageError(
                "plausible compare needs families or runs, such as: plausible compare gan vae --minutes 1"
            )
        if self.out is not None:
            check_output_folder(self.out, False)
        return None


def _answer(compared: "Compared", page: Path | None = None) -> None:
    found = compared.to_dict()
    answer(
        documents.ComparedFamilies(
            compared.folder, compared.finished, tuple(compared.advice), found, page
        )
    )


def _page(compared: "Compared") -> Path:
    """Write the page of a comparison in its folder, and where it is."""
    from plausible.pages import save_page
    from plausible.tasks import report_comparison

    return save_page(report_comparison(compared), compared.folder / PAGE)


def _say_result(result: "RunResult") -> None:
    """A line when one of them is done."""
    who = result.model if result.seed is None else f"{result.model}, seed {result.seed}"
    if result.failed:
        say(f"{who}: not compared, {result.failed}")
        return
    multiple = result.values.get("Frechet multiple")
    near = "" if multiple is None else f", Frechet distance {multiple:.3g} times that of real data"
    say(f"{who}: {result.verdict or 'draws nothing'}{near}")
