"""plausible data."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.table import Table
from tyro.conf import OmitArgPrefixes, Positional

from plausible.cli.arguments import Overwrite
from plausible.cli.command import commands
from plausible.cli.console import console, counting_bar, say, say_notes
from plausible.core.errors import UsageError
from plausible.data.options import DEFAULTS, Options
from plausible.data.source import resolve_source


@commands
@dataclass(frozen=True)
class DescribeData:
    """What a data set holds and what will be done with it, without training.

    Example: plausible data my-folder --size 64
    """

    name: ClassVar[str] = "data"

    source: Positional[str] = "digits"
    """Describe this set: a name (digits, a toy, mnist) or a path to images, IDX, npy, npz or csv."""
    preparation: OmitArgPrefixes[Options] = DEFAULTS
    picture: Path | None = None
    """Draw some of the items into this .png; by default <name>-data.png."""
    overwrite: Overwrite = False

    def run(self) -> None:
        """Print the survey and draw the picture."""
        resolve_source(self.source)
        from plausible import figures
        from plausible.tasks import describe
        from plausible.tasks.save import save_bytes

        with counting_bar(f"reading {self.source}") as count:
            found = describe(self.source, self.preparation, count)
        picture = self.picture or Path(f"{found.data.name}-data.png")
        if picture.exists() and not self.overwrite:
            raise UsageError(f"{picture} exists: choose another --picture, or add --overwrite")
        table = Table(
            title=f"{self.source}: {found.data.survey.count:,} items",
            title_justify="left",
            title_style="bold",
        )
        table.add_column("what")
        table.add_column("found")
        for row in found.facts.items():
            table.add_row(*row)
        console.print(table, highlight=False, markup=False)
        say_notes(found.notes)
        image = figures.picture(found.data.space, found.examples)
        save_bytes(picture, figures.png(image))
        say(f"some items drawn in {picture}")
