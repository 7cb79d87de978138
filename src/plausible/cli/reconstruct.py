"""plausible reconstruct."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import DataPlace, Device, Marked, Overwrite, Paths, RunFolder
from plausible.cli.checks import check_inputs, check_output, check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import progress_bar, say, say_notes
from plausible.data.source import resolve_source


@commands
@dataclass(frozen=True)
class Reconstruct(Command):
    """What a model keeps of given inputs: each one beside what comes back from its code alone.

    Example: plausible reconstruct runs/vae-mnist-20260101-120000 photo.png more/ --out back.png
    """

    answers: ClassVar[type[Any]] = documents.Reconstructed
    run_folder: RunFolder
    paths: Paths
    out: str
    """Write to this name: .png (above the inputs, below what came back), .npz or .csv (what came back)."""
    label: str | None = None
    """The class of all inputs, by name or number; by default the most probable one of each input."""
    data: DataPlace = None
    device: Device = "auto"
    mark: Marked = True
    overwrite: Overwrite = False

    def run(self) -> None:
        """Encode, decode and write."""
        check_run(self.run_folder)
        if self.data is not None:
            resolve_source(self.data)
        check_inputs(self.paths)
        check_output(self.out, (".png", ".npz", ".csv"), self.overwrite)
        from plausible import figures
        from plausible.core.space import Batch
        from plausible.tasks import open_trained, reconstruct
        from plausible.tasks.inputs import as_inputs
        from plausible.tasks.mark import mark_of
        from plausible.tasks.save import check_form, save_arrays, save_bytes, save_samples

        trained = open_trained(self.run_folder, self.data, device=self.device, request="inputs")
        mark = mark_of(trained) if self.mark else None
        check_form(self.out, trained.model.space)
        inputs = as_inputs(self.paths, trained)
        say_notes(inputs.notes)
        with progress_bar("there and back") as show:
            result = reconstruct(
                trained, inputs, self.label,
                progress=lambda done, total: show(f"{done:,} of {total:,} inputs", done / total),
            )  # fmt: skip
        if self.out.lower().endswith(".npz"):
            save_arrays(self.out, x=result.reconstruction)
        elif self.out.lower().endswith(".csv"):
            save_samples(Batch(result.reconstruction), trained.model.space, self.out, trained)
        else:
            image = figures.reconstruction(trained.model.space, result.x, result.reconstruction)
            save_bytes(Path(self.out), figures.png(image, mark))
        answer(
            documents.Reconstructed(
                self.run_folder, Path(self.out), float(result.rmse), tuple(result.errors.tolist())
            )
        )
        say(f"{len(result.x):,} inputs and what comes back of them in {self.out}")
        levels = trained.model.space.levels
        unit = f" of {levels - 1} levels" if levels else ""
        scale = levels - 1 if levels else 1
        low, high = (scale * float(end) for end in result.errors.aminmax())
        spread = f", from {low:.3g} to {high:.3g} of single inputs" if len(result.x) > 1 else ""
        say(
            f"they differ by {scale * result.rmse:.3g}{unit} a coordinate (root mean square){spread}"
        )
