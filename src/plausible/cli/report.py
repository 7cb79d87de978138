"""plausible report."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro
from tyro.conf import Positional

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import PAGE, DataPlace, Device, Overwrite, Seed
from plausible.cli.checks import check_output, check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import progress_bar, say, say_notes
from plausible.core.errors import NotDefined, UsageError
from plausible.data.source import resolve_source


@commands
@dataclass(frozen=True)
class Report(Command):
    """All of a run, or of a comparison, as one page to read and to pass on: what came of it, pictures, curves, measures.

    The page is a single HTML file that asks for nothing from anywhere else.

    Example: plausible report runs/gan-digits-20260101-120000
    """

    answers: ClassVar[type[Any]] = documents.Page
    usual: ClassVar[tuple[str, ...]] = ("out", "data", "evaluate", "overwrite")

    folder: Annotated[
        Positional[Path],
        tyro.conf.arg(
            name="run", metavar="RUN|COMPARISON", help="The folder of the run, or of a comparison."
        ),
    ]
    out: str | None = None
    """Write the page to this name, which ends in .html; by default report.html in that folder."""
    data: DataPlace = None
    evaluate: bool = True
    """Judge a finished run first where that was not done yet."""
    seed: Seed = 0
    device: Device = "auto"
    overwrite: Overwrite = False

    def run(self) -> None:
        """Judge if need be, gather, write."""
        compared = (self.folder / "comparison.json").is_file()
        self._check(compared)
        out = self.out or str(self.folder / PAGE)
        check_output(out, (".html", ".htm"), self.overwrite)
        if compared:
            self._comparison(out)
        else:
            self._run(out)

    def _check(self, compared: bool) -> None:
        """Refuse what is no run and no comparison, and flags that would do nothing."""
        if not compared:
            check_run(self.folder)
            if self.data is not None:
                resolve_source(self.data)
            return
        given = [each.name for each in fields(self) if getattr(self, each.name) != each.default]
        if set(given) - {"folder", "out", "overwrite", "json"}:
            raise UsageError(
                f"{self.folder} is a comparison, whose page shows what its folder keeps: beside it go only --out and "
                "--overwrite"
            )

    def _comparison(self, out: str) -> None:
        from plausible.pages import save_page
        from plausible.tasks import report_comparison

        with progress_bar("reading the comparison") as progress:
            found = report_comparison(self.folder, progress)
            progress("writing the page")
            place = save_page(found, out)
        answer(documents.Page(place, found.words))
        say(f"{found.words} The page is {place}")

    def _run(self, out: str) -> None:
        from plausible.pages import save_page
        from plausible.runs import Run
        from plausible.tasks import report

        run = Run(self.folder)
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
        answer(documents.Page(place, found.headline.words))
        say(f"{found.name}: {found.headline.words}; the page is {place}")

    def _judge(self) -> str:
        """Measures and verdict of a run that has none; why there are none if so."""
        from plausible.cli.live import about
        from plausible.tasks import advise, course_of, evaluate, open_trained, save_report
        from plausible.tasks.expect import judging_seconds

        try:
            trained = open_trained(self.folder, self.data, device=self.device)
            takes = judging_seconds(trained.model, trained.data)
            say(f"{self.folder} was not judged yet: judging it, which takes about {about(takes)}")
            with progress_bar("reading") as progress:
                judged = evaluate(trained, seed=self.seed, progress=progress, on_notes=say_notes)
        except (NotDefined, UsageError) as refusal:
            say(f"not judged: {refusal}")
            return str(refusal)
        save_report(judged, self.folder, trained.data, advise(judged, course_of(trained)))
        return ""
