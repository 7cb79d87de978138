"""plausible diagnose."""

from dataclasses import dataclass

from plausible.cli.arguments import DataPlace, Device, RunFolder, Seed
from plausible.cli.checks import check_run
from plausible.cli.command import commands
from plausible.cli.console import console, progress_bar, say, say_notes
from plausible.data.source import resolve_source


@commands
@dataclass(frozen=True)
class Diagnose:
    """What is wrong with a trained model, the evidence, and the flag to change.

    Example: plausible diagnose runs/vae-mnist-20260101-120000
    """

    run_folder: RunFolder
    data: DataPlace = None
    seed: Seed = 0
    device: Device = "auto"

    def run(self) -> None:
        """Check, print, and write findings.json into the run."""
        check_run(self.run_folder)
        if self.data is not None:
            resolve_source(self.data)
        from plausible.cli import display
        from plausible.tasks import diagnose, open_trained
        from plausible.tasks.diagnose import save_findings

        trained = open_trained(self.run_folder, self.data, device=self.device)
        say_notes(trained.data.notes)
        with progress_bar("checking") as progress:
            findings = diagnose(
                trained, seed=self.seed, progress=lambda name: progress(f"checking: {name}")
            )
        if findings:
            console.print(display.findings(findings), highlight=False)
        else:
            say(
                f"nothing to go by: this training was not monitored, and there is no check of a trained "
                f"{trained.model.name}"
            )
        say(f"all of it in {save_findings(trained, findings)}")
