"""plausible directions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import (
    Device,
    Draws,
    Ends,
    Marked,
    Overwrite,
    Positive,
    RunFolder,
    Seed,
)
from plausible.cli.checks import check_output, check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import progress_bar, say


@commands
@dataclass(frozen=True)
class Directions(Command):
    """What z does to x: walks along the directions in which x changes most, and the same draws truncated.

    The directions are the leading eigenvectors of the mean of J^T J over z, J the Jacobian of what is drawn.

    Example: plausible directions runs/gan-digits-20260101-120000 --out directions.png
    """

    answers: ClassVar[type[Any]] = documents.DirectionsFound
    run_folder: RunFolder
    out: str
    """Write the picture to this name ending in .png, or the directions and walks as arrays to one in .npz."""
    rows: Positive = 8
    """The number of directions, the strongest first."""
    columns: Ends = 9
    """The number of points on each walk, from -3 to 3 standard deviations."""
    label: str | None = None
    """The class of all that is drawn, of a conditional model, by name or number; by default any."""
    draws: Draws = 64
    """The number of draws of z over which the Jacobian is averaged."""
    seed: Seed = 0
    device: Device = "auto"
    mark: Marked = True
    overwrite: Overwrite = False

    def run(self) -> None:
        """Find the directions, walk and write."""
        check_run(self.run_folder)
        check_output(self.out, (".png", ".npz"), self.overwrite)
        from plausible import figures
        from plausible.figures.pixels import check_sheets
        from plausible.tasks import directions, open_trained
        from plausible.tasks.directions import BOUNDS
        from plausible.tasks.mark import mark_of
        from plausible.tasks.save import save_arrays, save_bytes

        trained = open_trained(self.run_folder, device=self.device)
        mark = mark_of(trained, self.seed) if self.mark else None
        if self.out.lower().endswith(".png"):
            check_sheets(trained.model.space, (self.rows + len(BOUNDS)) * self.columns)
        with progress_bar("looking for directions") as show:
            explored = directions(
                trained, self.rows, self.columns, self.label, draws=self.draws, seed=self.seed,
                progress=lambda share: show("looking for directions", share),
            )  # fmt: skip
        found = explored.directions
        shares = found.shares.tolist()
        if self.out.lower().endswith(".npz"):
            save_arrays(
                self.out, directions=found.vectors, gains=found.gains, shares=found.shares,
                x=explored.x, truncation=explored.truncation,
            )  # fmt: skip
        else:
            bounds = ["no bound" if t is None else f"--truncation {t:g}" for t in BOUNDS]
            image = figures.directions(
                trained.model.space, explored.x, shares, explored.truncation, bounds
            )
            save_bytes(Path(self.out), figures.png(image, mark))
        answer(documents.DirectionsFound(self.run_folder, Path(self.out), tuple(shares)))
        say(
            f"{self.rows} directions in {self.out}: the first brings about {shares[0]:.0%} of all change of "
            f"x with z, all of them {sum(shares):.0%} (of {found.vectors.shape[1]} there are)"
        )
