"""plausible check."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro
from tyro.conf import Positional

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.command import Command, commands
from plausible.cli.console import say


@commands
@dataclass(frozen=True)
class Check(Command):
    """Is a run what was written?  Every file is held against its checksum; exit code 1 where one is damaged or missing.

    Example: plausible check runs/gan-digits-20260101-120000
    """

    answers: ClassVar[type[Any]] = documents.CheckedRun
    run_folder: Annotated[
        Positional[Path], tyro.conf.arg(name="run", help="The folder of the run.", metavar="RUN")
    ]
    repair: bool = False
    """Make config.json again from the copy in the weights, and take the last weights where the best are damaged."""

    def run(self) -> None:
        """Say what became of each file."""
        from plausible.tasks import check

        found = check(self.run_folder, repair=self.repair)
        answer(
            documents.CheckedRun(
                self.run_folder, found.whole, found.files, found.repaired, found.sentence
            )
        )
        for name, condition in found.files.items():
            again = f", made again from {found.repaired[name]}" if name in found.repaired else ""
            say(f"  {name}: {condition}{again}")
        say(found.sentence)
        sys.exit(0 if found.whole else 1)
