"""plausible check."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from plausible.cli.command import commands
from plausible.cli.console import say


@commands
@dataclass(frozen=True)
class Check:
    """Is a run what was written?  Every file is held against its checksum; exit code 1 where one is damaged or missing.

    Example: plausible check runs/gan-digits-20260101-120000
    """

    run_folder: Annotated[
        Positional[Path], tyro.conf.arg(name="run", help="The folder of the run.", metavar="RUN")
    ]
    repair: bool = False
    """Make config.json again from the copy in the weights, and take the last weights where the best are damaged."""

    def run(self) -> None:
        """Say what became of each file."""
        from plausible.tasks import check

        found = check(self.run_folder, repair=self.repair)
        for name, condition in found.files.items():
            again = f", made again from {found.repaired[name]}" if name in found.repaired else ""
            say(f"  {name}: {condition}{again}")
        say(found.sentence)
        sys.exit(0 if found.whole else 1)
