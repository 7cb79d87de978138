"""plausible runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import tyro
from tyro.conf import Positional

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.command import Command, commands
from plausible.cli.console import console, say
from plausible.core.errors import UsageError

if TYPE_CHECKING:
    from plausible.tasks import RunRow


@commands
@dataclass(frozen=True)
class Runs(Command):
    """The runs in a folder: model, data, how far each came, its verdict and its age.

    Example: plausible runs
    """

    answers: ClassVar[type[Any]] = documents.RunList
    name: ClassVar[str] = "runs"

    folder: Annotated[Positional[Path], tyro.conf.arg(metavar="[FOLDER]")] = Path("runs")
    """Look for runs in this folder, and two levels below it."""

    def run(self) -> None:
        """Print the table."""
        if not self.folder.is_dir():
            what = "is a file" if self.folder.exists() else "does not exist"
            raise UsageError(f"{self.folder} {what}: give a folder with runs in it")
        from rich.table import Table

        from plausible.tasks import list_runs

        rows = list_runs(self.folder)
        answer(documents.RunList(self.folder, tuple(map(_entry, rows))))
        if not rows:
            say(f"no runs in {self.folder}; plausible train gan makes one")
            return
        shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        shown.add_column(f"in {self.folder}", overflow="fold")
        shown.add_column("model", no_wrap=True)
        shown.add_column("data", overflow="ellipsis", no_wrap=True)
        for name in ("state", "verdict"):
            shown.add_column(name, no_wrap=True)
        shown.add_column("age", no_wrap=True)
        for row in rows:
            where = row.folder.relative_to(self.folder)
            verdict = "too short" if row.too_short else row.verdict or "not judged"
            shown.add_row(str(where), row.model, row.data, row.state, verdict, _words(row.age))
        console.print(shown, highlight=False)


def _entry(row: "RunRow") -> documents.RunEntry:
    return documents.RunEntry(
        row.folder,
        row.model,
        row.data,
        row.state,
        row.progress,
        row.verdict,
        row.too_short,
        row.age,
    )


def _words(seconds: float) -> str:
    """About how long ago, in the largest whole unit."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            n = int(seconds // length)
            return f"{n} {unit}{'s' * (n > 1)}"
    return "seconds"
