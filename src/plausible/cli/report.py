"""plausible report."""

from dataclasses import dataclass
from typing import ClassVar

from plausible.cli.arguments import DataPlace, Device, Overwrite, RunFolder, Seed
from plausible.cli.checks import check_output, check_run
from plausible.cli.command import commands
from plausible.cli.console import progress_bar, say, say_notes
from plausible.core.errors import NotDefined, UsageError
from plausible.data.source import resolve_source


@commands
@dataclass(frozen=True)
class Report:
    """All of a run as one page to read and to pass on: the verdict and what to do next, pictures, curves, measures.

    The page is a single HTML file that asks for nothing from anywhere else.

    Example: plausible report runs/gan-digits-20260101-120000
    """

    usual: ClassVar[tuple[str, ...]] = ("out", "data", "evaluate", "overwrite")

    run_folder: RunFolder
    out: str | None = None
    """Write the page to this name, which ends in .html; by default report.html in the folder of the run."""
    data: DataPlace = None
    evaluate: bool = True
    """Judge a finished run first where that was not done yet."""
    seed: Seed = 0
    device: Device = "auto"
    overwrite: Overwrite = False

    def run(self) -> None:
        """Judge if need be, gather, write."""
        check_run(self.run_folder)
        if self.data is not None:
            resolve_source(self.data)
        out = self.out or str(self.run_folder / "report.html")
        check_output(out, (".html", ".htm"), self.overwrite)
        from plausible.pages import save_page
        from plausible.runs import Run
        from plausible.tasks import report

        run = Run(self.run_folder)
        reason = ""
        if self.evaluate and run.judged is None and run.progress == 1:
            reason = self._judge()
        with progress_bar("reading the run") as progress:
            found = report(
                run,
                self.data,
                seed=self.seed,
                device=self.device,
                not_judged=reason,
                progress=progress,
            )
            progress("writing the page")
            place = save_page(found, out)
        say(f"{found.name}: {found.headline.words}; the page is {place}")

    def _judge(self) -> str:
        """Measures and verdict of a run that has none; why there are none if so."""
        from plausible.cli.live import about
        from plausible.tasks import advise, course_of, evaluate, open_trained, save_report
        from plausible.tasks.expect import judging_seconds

        try:
            trained = open_trained(self.run_folder, self.data, device=self.device)
            takes = judging_seconds(trained.model, trained.data)
            say(
                f"{self.run_folder} was not judged yet: judging it, which takes about {about(takes)}"
            )
            with progress_bar("reading") as progress:
                judged = evaluate(trained, seed=self.seed, progress=progress, on_notes=say_notes)
        except (NotDefined, UsageError) as refusal:
            say(f"not judged: {refusal}")
            return str(refusal)
        save_report(judged, self.run_folder, trained.data, advise(judged, course_of(trained)))
        return ""
