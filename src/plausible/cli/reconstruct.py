"""plausible reconstruct."""

from dataclasses import dataclass
from pathlib import Path

from plausible.cli.arguments import Device, Overwrite, Paths, RunFolder
from plausible.cli.checks import check_inputs, check_output, check_run
from plausible.cli.command import commands
from plausible.cli.console import counting_bar, say

_COLUMNS = 16  # inputs side by side


@commands
@dataclass(frozen=True)
class Reconstruct:
    """What a model keeps of given inputs: each one beside what comes back from its code alone.

    Example: plausible reconstruct runs/vae-mnist-20260101-120000 photo.png more/ --out back.png
    """

    run_folder: RunFolder
    paths: Paths
    out: str
    """Where to write: .png (above the inputs, below what came back) or .npz (what came back)."""
    label: str | None = None
    """The class of all inputs, by name or number; by default the most probable one of each input."""
    device: Device = "auto"
    overwrite: Overwrite = False

    def run(self) -> None:
        """Encode, decode and write."""
        check_run(self.run_folder)
        check_inputs(self.paths)
        check_output(self.out, (".png", ".npz"), self.overwrite)
        from plausible import figures
        from plausible.tasks import open_trained, reconstruct
        from plausible.tasks.save import save_arrays, save_bytes

        trained = open_trained(self.run_folder, device=self.device)
        with counting_bar("there and back") as count:
            found = reconstruct(trained, self.paths, self.label, progress=count)
        if self.out.lower().endswith(".npz"):
            save_arrays(self.out, x=found.reconstruction)
        elif trained.model.space.is_image:
            image = figures.paired_grid(found.x, found.reconstruction, _COLUMNS)
            save_bytes(Path(self.out), figures.png(image))
        else:
            save_bytes(Path(self.out), figures.png(figures.scatter(found.reconstruction, found.x)))
        say(
            f"{len(found.x):,} inputs and what comes back of them in {self.out}; they differ by "
            f"{found.rmse:.3g} a coordinate (root mean square)"
        )
