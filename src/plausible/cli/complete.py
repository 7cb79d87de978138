"""plausible complete."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import (
    Count,
    DataPlace,
    Device,
    Marked,
    Overwrite,
    Paths,
    RunFolder,
    Seed,
)
from plausible.cli.checks import check_inputs, check_output, check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import progress_bar, say, say_notes
from plausible.core.bounds import NATURAL
from plausible.core.errors import UsageError
from plausible.data.source import resolve_source


@commands
@dataclass(frozen=True)
class Complete(Command):
    """Draw the rest of images of which a part is known: the first rows, or whatever a mask leaves.

    An autoregressive model (pixelcnn, pixelrnn) draws exactly, below the first rows; a diffusion model approximately, anywhere.

    Example: plausible complete runs/pixelcnn-mnist-20260101-120000 photo.png --rows 14 --out rest.png
    """

    answers: ClassVar[type[Any]] = documents.Drawn
    run_folder: RunFolder
    paths: Paths
    out: str
    """Write to this name: .png (in rows: the image, what is known, the draws) or .npz (the draws)."""
    rows: Annotated[int, NATURAL] | None = None
    """The number of rows of pixels from the top that are known."""
    mask: str | None = None
    """A picture that is white where the images are to be drawn anew and black where they are known; cropped and resized as they are."""
    n: Count = 8
    """The number of different ends to draw for each image."""
    label: str | None = None
    """The class of all images, by name or number; by default drawn from p(y | the known rows), and no matter which for a diffusion model."""
    data: DataPlace = None
    seed: Seed = 0
    device: Device = "auto"
    mark: Marked = True
    overwrite: Overwrite = False

    def run(self) -> None:
        """Draw the rest and write it."""
        check_run(self.run_folder)
        if self.data is not None:
            resolve_source(self.data)
        check_inputs(self.paths)
        check_output(self.out, (".png", ".npz"), self.overwrite)
        if (self.rows is None) == (self.mask is None):
            raise UsageError("say what is known of the images: --rows or --mask")
        if self.mask is not None:
            check_inputs((self.mask,))
        from plausible import figures
        from plausible.core.space import Batch
        from plausible.figures.pixels import check_sheets
        from plausible.tasks import complete, open_trained
        from plausible.tasks.inputs import as_inputs
        from plausible.tasks.mark import mark_of
        from plausible.tasks.save import save_bytes, save_samples

        trained = open_trained(self.run_folder, self.data, device=self.device, request="inputs")
        mark = mark_of(trained, self.seed) if self.mark else None
        inputs = as_inputs(self.paths, trained)
        say_notes(inputs.notes)
        if self.out.lower().endswith(".png"):
            check_sheets(trained.model.space, len(inputs.part) * (self.n + 2))
        with progress_bar("drawing"):
            completion = complete(
                trained, inputs, self.rows, self.n, self.label, mask=self.mask, seed=self.seed
            )
        if self.out.lower().endswith(".npz"):
            y = None if completion.y is None else completion.y.flatten()
            drawn = Batch(completion.draws.flatten(0, 1), y)
            save_samples(drawn, trained.model.space, self.out, trained)
        else:
            image = figures.completion_grid(completion.x, completion.known, completion.draws)
            save_bytes(Path(self.out), figures.png(image, mark))
        answer(documents.Drawn(self.run_folder, Path(self.out), len(completion.x), self.n))
        say(f"{self.n} ends for each of {len(completion.x):,} images in {self.out}")
