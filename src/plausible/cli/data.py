"""plausible data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro
from rich.table import Table
from tyro.conf import Positional

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import Overwrite, Preparation
from plausible.cli.command import Command, commands
from plausible.cli.console import console, counting_bar, progress_bar, say, say_notes
from plausible.core.errors import UsageError
from plausible.data.options import DEFAULTS
from plausible.data.source import resolve_source


@commands
@dataclass(frozen=True)
class DescribeData(Command):
    """What a data set holds and what will be done with it, without training.

    Example: plausible data my-folder --size 64
    """

    answers: ClassVar[type[Any]] = documents.Described
    name: ClassVar[str] = "data"
    usual: ClassVar[tuple[str, ...]] = ("size", "label", "drop", "missing", "picture")

    source: Positional[str] = "digits"
    """Describe this set: a name (digits, a toy, mnist, hub:user/name) or a path to images, a .zip or .tar of them, .csv, .tsv, .parquet, .npy, .npz or IDX."""
    preparation: Preparation = DEFAULTS
    picture: Annotated[Path | None, tyro.conf.arg(aliases=["--out"])] = None
    """Draw some of the items into this .png; by default <name>-data.png, or a numbered one beside it."""
    overwrite: Overwrite = False

    def run(self) -> None:
        """Print the survey and draw the picture."""
        resolve_source(self.source)
        if self.picture is not None and self.picture.exists() and not self.overwrite:
            raise UsageError(f"{self.picture} exists: choose another, or add --overwrite")
        from plausible import figures
        from plausible.tasks import describe, symmetries_of
        from plausible.tasks.save import save_bytes

        with counting_bar(f"reading {self.source}") as count:
            found = describe(self.source, self.preparation, count)
        table = Table(
            title=f"{self.source}: {found.data.survey.count:,} items",
            title_justify="left",
            title_style="bold",
        )
        table.add_column("what")
        table.add_column("found")
        for row in found.facts.items():
            table.add_row(*row)
        console.print(table, highlight=False)
        say_notes(found.notes)
        asking = "asking whether images may be mirrored"
        with progress_bar(asking) as show:
            symmetries = symmetries_of(found.data, progress=lambda share: show(asking, share))
        say_notes(symmetries.notes)
        image = figures.png(
            figures.picture(
                found.data.space, found.examples, columns=found.data.columns, title=found.shown
            )
        )
        picture = self.picture or self._free(Path(f"{found.data.name}-data.png"), image)
        save_bytes(picture, image)
        answer(
            documents.Described(
                self.source,
                found.data.survey.count,
                found.facts,
                found.notes,
                symmetries.notes,
                picture,
            )
        )
        say(f"what they look like is drawn in {picture}")

    def _free(self, path: Path, image: bytes) -> Path:
        """The path, or one with a number behind it, where nothing stands that would be lost."""
        names = (path.with_stem(f"{path.stem}-{k}") if k else path for k in range(10_000))
        return next(
            name
            for name in names
            if self.overwrite or not name.exists() or name.read_bytes() == image
        )
