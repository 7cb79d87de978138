"""plausible complete."""

from dataclasses import dataclass
from pathlib import Path

from plausible.cli.arguments import Count, Device, Overwrite, Paths, RunFolder, Seed
from plausible.cli.checks import check_inputs, check_output, check_run
from plausible.cli.command import commands
from plausible.cli.console import progress_bar, say
from plausible.core.errors import UsageError


@commands
@dataclass(frozen=True)
class Complete:
    """Draw the rest of images of which the first rows are given, of an autoregressive model.

    Example: plausible complete runs/pixelcnn-mnist-20260101-120000 photo.png --rows 14 --out rest.png
    """

    run_folder: RunFolder
    paths: Paths
    rows: int
    """How many rows of pixels from the top are known."""
    out: str
    """Where to write: .png (in rows: the image, what is known, the draws) or .npz (the draws)."""
    n: Count = 8
    """How many different ends to draw for each image."""
    label: str | None = None
    """The class of all images, by name or number; by default drawn from p(y | the known rows)."""
    seed: Seed = 0
    device: Device = "auto"
    overwrite: Overwrite = False

    def run(self) -> None:
        """Look, draw and write."""
        check_run(self.run_folder)
        check_inputs(self.paths)
        check_output(self.out, (".png", ".npz"), self.overwrite)
        if self.n < 1:
            raise UsageError(f"-n must be at least 1, not {self.n}")
        import torch

        from plausible import figures
        from plausible.core.space import Batch
        from plausible.tasks import complete, open_trained
        from plausible.tasks.save import save_bytes, save_samples

        trained = open_trained(self.run_folder, device=self.device)
        with progress_bar("drawing"):
            found = complete(trained, self.paths, self.rows, self.n, self.label, seed=self.seed)
        if self.out.lower().endswith(".npz"):
            y = None if found.y is None else found.y.flatten()
            save_samples(Batch(found.draws.flatten(0, 1), y), trained.model.space, self.out)
        else:
            half = torch.where(found.known, found.x, torch.full_like(found.x, 0.5))
            sheet = torch.cat([found.x[:, None], half[:, None], found.draws], 1).flatten(0, 1)
            save_bytes(Path(self.out), figures.png(figures.grid(sheet, self.n + 2)))
        say(f"{self.n} ends for each of {len(found.x):,} images in {self.out}")
