"""plausible diagnose."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import DataPlace, Device, RunFolder, Seed
from plausible.cli.checks import check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import console, progress_bar, say, say_notes
from plausible.data.source import resolve_source


@commands
@dataclass(frozen=True)
class Diagnose(Command):
    """What is wrong with a trained model, the evidence, and the flag to change.

    Example: plausible diagnose runs/vae-mnist-20260101-120000
    """

    answers: ClassVar[type[Any]] = documents.Diagnosed
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
        from plausible.runs.whereabouts import DataGone
        from plausible.tasks import course_of, diagnose, open_trained
        from plausible.tasks.diagnose import save_findings
        from plausible.tasks.too_short import too_short

        trained = open_trained(self.run_folder, self.data, device=self.device, request="diagnose")
        with suppress(DataGone):  # a finding says so
            say_notes(trained.data_for("diagnose").notes)
        short = too_short(course_of(trained))
        if short is not None:
            say(str(short))
        with progress_bar("checking") as progress:
            findings = diagnose(
                trained, seed=self.seed, progress=lambda name: progress(f"checking: {name}")
            )
        if findings:
            console.print(display.findings(findings), highlight=False)
        elif short is None:
            say(
                f"nothing to go by: this training was not monitored, and there is no check of a trained "
                f"{trained.model.name}"
            )
        file = save_findings(trained, findings)
        rows = tuple(finding.to_dict() for finding in findings)
        answer(documents.Diagnosed(self.run_folder, file, rows))
        say(f"all of it in {file}")
