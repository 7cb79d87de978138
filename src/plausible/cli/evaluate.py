"""plausible evaluate."""

import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NoReturn

import tyro
from tyro.conf import Positional

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import (
    MANY_TIMES,
    Device,
    Judged,
    Overwrite,
    Preparation,
    Seed,
    Share,
    Verbose,
)
from plausible.cli.checks import check_output_folder, check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import console, progress_bar, say, say_notes
from plausible.cli.ranks import become_ranks, first_goes_on
from plausible.core.choices import Extractor
from plausible.core.errors import UsageError
from plausible.data.numbered import is_there
from plausible.data.options import DEFAULTS
from plausible.data.source import NAMES, resolve_source

if TYPE_CHECKING:
    from plausible.data.part import Data
    from plausible.evaluation.features import Features
    from plausible.evaluation.report import Report
    from plausible.tasks.advise import Advice
    from plausible.tasks.feature_statistics import DistanceToFile


@dataclass(frozen=True)
class _Statistics:
    """What --statistics and --write-statistics brought."""

    distance: "DistanceToFile | None"
    written: tuple[Path, ...]

    def say(self) -> None:
        """The same in lines."""
        if self.written:
            say(f"statistics in {' and '.join(map(str, self.written))}")
        if self.distance is not None:
            samples, heldout = self.distance.samples, self.distance.heldout
            say_notes(self.distance.notes)
            say(
                f"{samples.name}: {samples.number}; of {heldout.n:,} held-out examples {heldout.number} ({samples.note})"
            )


@commands
@dataclass(frozen=True)
class Evaluate(Command):
    """Did it learn the distribution?  Measures beside real data, and a verdict for each defect.

    Of a run, or of samples that another program drew; --against another asks which of two is better, and in what.

    Example: plausible evaluate runs/gan-digits-20260101-120000 --strict
    """

    answers: ClassVar[type[Any]] = documents.Judged
    usual: ClassVar[tuple[str, ...]] = (
        "against", "twin", "verify", "samples", "data", "heldout", "n", "outliers", "out", "strict", "verbose",
    )  # fmt: skip
    run_folder: Annotated[Positional[Path | None], tyro.conf.arg(name="run", metavar="[RUN]")] = (
        None
    )
    """The folder of the run to judge, where it is not --samples."""
    samples: str | None = None
    """Judge these instead of a run: a folder or .zip of images, a .npz, .npy, .csv, .tsv or IDX file, or a generator as .onnx (extra: onnx)."""
    against: str | None = None
    """Say in what it is better or worse than this, a run or samples of another program, by the same held-out data."""
    twin: Path | None = None
    """Say whether the run and this one, of train --half 1 and --half 2, learned the same or each its half by heart."""
    verify: Path | None = None
    """Judge again what this measures.json, or the folder that it is in, says was judged, and compare every number."""
    data: str | None = None
    """The data that --samples imitate, or the place where those of the run are now: a name or a path."""
    preparation: Preparation = DEFAULTS
    split: Share | None = None
    """Hold out this share of --data, 0 to 1, to judge --samples by; by default as for training."""
    heldout: str | None = None
    """Hold --samples against these real data, a name or a path; --data is then what they were learned from."""
    n: Judged = 5000
    """Look at no more samples, and held-out examples, than this."""
    features: Extractor = "auto"
    """Take distances in these features; auto is whatever sees most of the defects that are planted into the data."""
    outliers: str | None = None
    """Measure how well the model tells its own data from these of another kind, a name or a path."""
    pretrained: str | None = None
    """Take an image model of the Hugging Face hub, or its folder, as features (extra: pretrained)."""
    statistics: Path | None = None
    """Say how far samples are from data of which this .npz file holds mu and sigma, the statistics of the same features."""
    write_statistics: bool = False
    """Write mu and sigma of the features of held-out data and of samples, two .npz files for programs of the Frechet distance."""
    out: Path | None = None
    """Write to this folder; by default the run, or <samples>-evaluation."""
    strict: bool = False
    """Exit with 0 for PASS, 1 for FAIL and 3 for INCONCLUSIVE; with --against, 1 where it is worse in anything."""
    processes: Annotated[int, MANY_TIMES] = 1
    """The number of processes that draw the samples of a run and look at them together, each at a part."""
    verbose: Verbose = False
    seed: Seed = 0
    device: Device = "auto"
    overwrite: Overwrite = False

    def run(self) -> None:
        """Measure, test, write."""
        self._check()
        from plausible.cli import display
        from plausible.tasks.feature_statistics import check_statistics
        from plausible.tasks.save import save_report

        if self.verify is not None:
            self._verify(self.verify)
        if self.twin is not None:
            self._ask_twin(self.twin)
            return
        if self.against is not None:
            self._compare(self.against)
            return
        if self.statistics is not None:
            check_statistics(self.statistics.expanduser(), own=self.pretrained is not None)
        report, folder, data, advice = self._of_samples() if self.samples else self._of_run()
        again = ", in the place of those before" if (folder / "measures.json").exists() else ""
        save_report(report, folder, data, advice)
        statistics = self._statistics(report, folder)
        _answer_report(report, folder, advice, statistics)
        if advice is not None:
            console.print(display.advice(advice), crop=False, highlight=False)
        if report.verdict is not None:
            console.print(display.verdict(report.verdict))
        if self.verbose or report.verdict is None:
            console.print(display.report(report))
        say(f"numbers and pictures in {folder}{again}")
        statistics.say()
        if self.strict and report.verdict is not None:
            sys.exit(report.verdict.exit_code)

    def _statistics(self, report: "Report", folder: Path) -> _Statistics:
        """Mean and covariance of the features: those that are asked for are compared, and written."""
        from plausible.tasks.feature_statistics import distance_to_file, save_statistics

        path = self.statistics and self.statistics.expanduser()
        return _Statistics(
            None if path is None else distance_to_file(report, path),
            save_statistics(report, folder) if self.write_statistics else (),
        )

    def _compare(self, against: str) -> None:
        """Both by the same held-out data: the table, what it says, and the file."""
        from plausible.cli import display
        from plausible.tasks import evaluate_against
        from plausible.tasks.save import save_comparison

        source = self.run_folder or Path(self.samples or "")
        folder = self._folder()
        if self.run_folder is None:
            check_output_folder(folder, self.overwrite)
        with progress_bar("reading") as progress:
            comparison = evaluate_against(
                source,
                Path(against).expanduser(),
                self.data,
                options=self.preparation,
                split=self.split,
                heldout=self.heldout,
                n=self.n,
                features=self._features(),
                seed=self.seed,
                device=self.device,
                progress=progress,
                on_notes=say_notes,
            )
        place = save_comparison(comparison, folder)
        answer(documents.Judged("comparison", folder, comparison.sentence, comparison.to_dict()))
        console.print(display.comparison(comparison), highlight=False)
        say(f"numbers in {place}")
        if self.strict:
            sys.exit(comparison.exit_code)

    def _ask_twin(self, twin: Path) -> None:
        """What both halves of the data say."""
        from plausible.tasks import evaluate_twin
        from plausible.tasks.save import save_comparison

        assert self.run_folder is not None
        with progress_bar("reading") as progress:
            found = evaluate_twin(
                self.run_folder,
                twin,
                self.data,
                n=self.n,
                seed=self.seed,
                device=self.device,
                progress=progress,
            )
        place = save_comparison(found, self._folder())
        for name, measure, p in zip(found.names, found.own_half, found.adjusted, strict=True):
            share = "undefined" if measure.value is None else f"{measure.value:.1%}"
            say(
                f"  {name}: {share} of {found.n:,} samples keep to its own half, p {p:.2g}; {measure.note}"
            )
        answer(documents.Judged("twins", self._folder(), found.sentence, found.to_dict()))
        say(found.sentence)
        say(f"numbers in {place}")
        if self.strict:
            sys.exit(found.exit_code)

    def _verify(self, measures: Path) -> NoReturn:
        """The same numbers once more; exit code 1 where they are others."""
        from plausible.tasks import verify

        with progress_bar("reading") as progress:
            found = verify(
                measures,
                samples=self.samples,
                data=self.data,
                device=self.device,
                progress=progress,
                on_notes=say_notes,
            )
        for name, (kept, now) in found.numbers.items():
            say(f"  {name}: {kept} as kept, {now} now")
        differ = {name: {"kept": kept, "now": now} for name, (kept, now) in found.numbers.items()}
        answer(documents.Judged("verify", measures, found.sentence, differ))
        say(found.sentence)
        sys.exit(found.exit_code)

    def _folder(self) -> Path:
        """Where what is found goes."""
        if self.run_folder is not None:
            return self.out or self.run_folder
        return self.out or Path(f"{Path(os.path.abspath(self.samples or '')).stem}-evaluation")

    def _of_run(self) -> "tuple[Report, Path, Data, Advice | None]":
        from plausible.cli.live import about
        from plausible.core.device import resolve_device
        from plausible.tasks import evaluate, open_trained
        from plausible.tasks.advise import advise
        from plausible.tasks.course import course_of
        from plausible.tasks.expect import judging_seconds
        from plausible.tasks.too_short import too_short
        from plausible.training import distributed

        assert self.run_folder is not None
        if self.processes > 1 and not distributed.launched():
            become_ranks(self.processes, sys.argv[1:], "nothing was written")
        world = distributed.join(resolve_device(self.device))
        console.quiet = not world.leads
        trained = open_trained(self.run_folder, self.data, device=self.device)
        course = course_of(trained)
        short = too_short(course)
        if short is not None:
            say(str(short))
        takes = judging_seconds(trained.model, trained.data, n=self.n)
        say(f"judging {self.run_folder}, which takes about {about(takes)}")
        with progress_bar("reading") as progress, first_goes_on(world) as on_shared:
            report = evaluate(
                trained,
                n=self.n,
                features=self._features(),
                outliers=self.outliers,
                seed=self.seed,
                progress=progress,
                on_notes=say_notes,
                on_shared=on_shared,
            )
        return report, self._folder(), trained.data, advise(report, course)

    def _of_samples(self) -> "tuple[Report, Path, None, Advice | None]":
        from plausible.tasks import evaluate_samples
        from plausible.tasks.advise import advise

        assert self.samples is not None
        assert self.data is not None
        folder = self._folder()
        check_output_folder(folder, self.overwrite)
        with progress_bar("reading") as progress:
            report = evaluate_samples(
                self.samples,
                self.data,
                options=self.preparation,
                split=self.split,
                heldout=self.heldout,
                n=self.n,
                features=self._features(),
                seed=self.seed,
                progress=progress,
                on_notes=say_notes,
            )
        return report, folder, None, advise(report)

    def _features(self) -> "Extractor | Features":
        from plausible.evaluation.features import pretrained

        return pretrained(self.pretrained) if self.pretrained else self.features

    def _check(self) -> None:
        """Refuse what can be refused without reading anything large."""
        if self.verify is not None:
            self._check_verify()
            return
        if (self.run_folder is None) == (self.samples is None):
            raise UsageError(
                "plausible evaluate needs either the folder of a run or --samples FILE"
            )
        if self.run_folder is not None:
            check_run(self.run_folder)
            for flag in ("split", "heldout"):
                if getattr(self, flag) is not None:
                    raise UsageError(f"--{flag} goes with --samples; a run knows its own data")
            if self.preparation != DEFAULTS:
                raise UsageError(
                    "flags that shape data go with --samples; a run knows its own data"
                )
        elif self.outliers is not None:
            raise UsageError("--outliers asks a model: give the folder of a run")
        elif self.data is None:
            raise UsageError("--samples needs --data, the real data that the samples imitate")
        if self.processes > 1 and (self.samples or self.twin or self.against):
            raise UsageError(
                "--processes share the judging of one run: leave out --samples, --twin and --against"
            )
        if self.statistics is not None and not self.statistics.expanduser().is_file():
            raise UsageError(
                f"--statistics {self.statistics} does not exist: give a .npz file with mu and sigma"
            )
        if (self.statistics or self.write_statistics) and (self.twin or self.against):
            raise UsageError(
                "--statistics and --write-statistics are of one evaluation: leave out --twin and --against"
            )
        if self.twin is not None:
            check_run(self.twin)
            chosen = self.features != "auto" or self.pretrained or self.outliers or self.against
            if self.run_folder is None or chosen:
                raise UsageError(
                    "--twin compares two runs and nothing else: plausible evaluate RUN --twin RUN"
                )
        if self.against is not None:
            if self.outliers is not None:
                raise UsageError(
                    "--outliers asks one model and --against compares two: leave one of them out"
                )
            if not Path(self.against).expanduser().exists():
                raise UsageError(f"--against {self.against} does not exist: give a run or samples")
        if self.pretrained is not None and self.features != "auto":
            raise UsageError("--features and --pretrained both choose features: give one of them")
        if self.split is not None and self.heldout is not None:
            raise UsageError("--split and --heldout both say what is held out: give one of them")
        samples = "" if self.samples in (None, *NAMES) else str(self.samples)
        if samples and not is_there(Path(samples).expanduser()):
            raise UsageError(f"--samples {samples} does not exist: give a file or a folder")
        for source in (self.data, self.heldout, self.outliers):
            if source is not None:
                resolve_source(source)
        if self.out is not None:
            check_output_folder(self.out, self.overwrite)

    def _check_verify(self) -> None:
        """Refuse what the seal says, but for where samples and data are now."""
        asked = {
            field.name
            for field in fields(self)
            if field.name not in ("verify", "samples", "data", "device", "verbose", "json")
            and getattr(self, field.name) != field.default
        }
        if asked:
            raise UsageError(
                "--verify judges as its measures.json says: beside it go only --samples and --data, where they have moved"
            )


def _answer_report(
    report: "Report", folder: Path, advice: "Advice | None", statistics: _Statistics
) -> None:
    found = report.to_dict() | ({} if advice is None else {"advice": advice.to_dict()})
    verdict = None if report.verdict is None else str(report.verdict.state)
    distance = None if statistics.distance is None else statistics.distance.to_dict()
    answer(documents.Judged("report", folder, verdict, found, distance, statistics.written))
