"""plausible interpolate."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import (
    DataPlace,
    Device,
    Ends,
    Marked,
    Overwrite,
    Positive,
    RunFolder,
    Seed,
)
from plausible.cli.checks import check_inputs, check_output, check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import say, say_notes
from plausible.core.errors import UsageError
from plausible.data.source import resolve_source


@commands
@dataclass(frozen=True)
class Interpolate(Command):
    """Walk along great circles between draws of z, or between the z of two given images.

    Example: plausible interpolate runs/gan-digits-20260101-120000 --out walk.gif
    """

    answers: ClassVar[type[Any]] = documents.Drawn
    run_folder: RunFolder
    out: str
    """Write the walks to this name, which ends in .png (rows of images) or .gif (an animation)."""
    between: tuple[str, str] | None = None
    """Walk between these two files (or items of the data, as heldout:3), each by its own z, of a model that can encode (gan, vae, flow, diffusion)."""
    rows: Positive = 8
    """The number of walks; between two images there is one."""
    columns: Ends = 12
    """The number of points on each walk, both ends counted."""
    label: str | None = None
    """The class of all walks of a conditional model, by name or number; by default each has a drawn one."""
    data: DataPlace = None
    seed: Seed = 0
    device: Device = "auto"
    mark: Marked = True
    overwrite: Overwrite = False

    def run(self) -> None:
        """Walk and write."""
        check_run(self.run_folder)
        if self.data is not None:
            resolve_source(self.data)
        check_output(self.out, (".png", ".gif"), self.overwrite)
        if self.between is not None:
            check_inputs(self.between)
        from plausible import figures
        from plausible.figures.pixels import check_sheets
        from plausible.tasks import interpolate, interpolate_between, open_trained
        from plausible.tasks.inputs import as_inputs
        from plausible.tasks.mark import mark_of
        from plausible.tasks.save import save_bytes

        trained = open_trained(self.run_folder, self.data, device=self.device, request="inputs")
        mark = mark_of(trained, self.seed) if self.mark else None
        rows = self.rows if self.between is None else 1
        animated = self.out.lower().endswith(".gif")
        each = rows if animated else rows * self.columns
        check_sheets(trained.model.space, each, self.columns if animated else 1)
        if self.between is None:
            x = interpolate(trained, self.rows, self.columns, self.label, seed=self.seed)
        else:
            ends = as_inputs(self.between, trained)
            say_notes(ends.notes)
            x = interpolate_between(trained, ends, self.columns, self.label)[None]
            # (columns, *shape) -> (1, columns, *shape)
        if animated:
            if not trained.model.space.is_image:
                raise UsageError("an animation needs images: choose a name ending in .png")
            content = figures.gif([figures.grid(frame) for frame in x.transpose(0, 1)], mark=mark)
        else:
            content = figures.png(figures.walks(trained.model.space, x), mark)
        save_bytes(Path(self.out), content)
        answer(documents.Drawn(self.run_folder, Path(self.out), len(x), self.columns))
        walks = f"{len(x)} walks" if len(x) > 1 else "a walk"
        say(f"{walks} of {self.columns} points in {self.out}")
