"""A training played to its end before the eyes of a person, and judged."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.console import console, progress_bar, say
from plausible.core.choices import LogTo, OnFailure
from plausible.core.errors import NotDefined, UsageError

if TYPE_CHECKING:
    from plausible.diagnosis import Finding
    from plausible.runs import Run
    from plausible.tasks.training_pictures import TrainingPictures
    from plausible.training import Training


class PlayFlags(Protocol):
    """What of the flags of train and resume decides how a training is played to its end."""

    @property
    def watch(self) -> bool:
        """Whether it is monitored."""

    @property
    def on_failure(self) -> OnFailure:
        """What a failure does."""

    @property
    def evaluate(self) -> bool:
        """Whether the model is judged when it is trained."""

    @property
    def verbose(self) -> bool:
        """Whether the tables are shown."""

    @property
    def log_to(self) -> tuple[LogTo, ...] | None:
        """Where the log is mirrored to; None: where the run was before."""


def play(run: "Run", training: "Training[Any]", flags: PlayFlags) -> None:
    """Train while showing and monitoring it, then evaluate; on Ctrl-C say how to go on."""
    from plausible.cli import display, live
    from plausible.runs.mirrors import mirrored
    from plausible.tasks.fit_steps import Failed, fit_steps, monitored
    from plausible.tasks.training_pictures import TrainingPictures
    from plausible.training import distributed

    leads = training.world.leads
    pictures = TrainingPictures(run, training)
    if leads:
        say(live.beginning(training, run, pictures))
    reported: list[Finding] = []

    def on_finding(finding: "Finding") -> None:
        reported.append(finding)
        console.print(display.alarm(finding), soft_wrap=True)

    monitor = monitored(run, training) if flags.watch else None
    mirrors = mirrored(run, training, flags.log_to, on_finding)
    steps = fit_steps(run, training, monitor, flags.on_failure, on_finding, pictures, mirrors)
    shown = console if leads else None
    try:
        for _ in live.show_progress(steps, training, shown, pictures, judged=flags.evaluate):
            pass
    except Failed as failure:
        left = "holds the last save" if (run.folder / "state.pt").exists() else "holds nothing yet"
        what = "that failure" if reported else str(failure)
        if leads:
            answer(_document(run, training, finished=False))
            say(f"stopped by {what}; {run.folder} {left}")
        sys.exit(3)
    finished = training.finished
    training.pause()
    distributed.leave()  # rank 0 evaluates alone, and the others end now
    if leads:
        took = live.duration(training.seconds)
        for place in mirrors.where:
            say(f"its log is shown by: {place}")
        if finished:
            say(f"trained for {took}")
            _finish(run, training, pictures, flags)
            answer(_document(run, training, finished=True))
        else:
            answer(_document(run, training, finished=False))
            say(
                f"stopped after {took} and saved, samples drawn in {pictures.path}; "
                f"go on with: plausible resume {shlex.quote(str(run.folder))}"
            )
    if not finished:
        sys.exit(130)


def _document(run: "Run", training: "Training[Any]", *, finished: bool) -> documents.Learned:
    from plausible.runs.logger import read_findings

    judged = run.judged if finished else None
    return documents.Learned(
        run.folder,
        run.learned,
        finished,
        run.steps("last") if (run.folder / "weights.safetensors").exists() else None,
        training.seconds,
        run.verdict if finished else None,
        judged,
        tuple(finding.to_dict() for finding in read_findings(run)),
        tuple(_paths(run)),
    )


def _finish(
    run: "Run", training: "Training[Any]", pictures: "TrainingPictures", flags: PlayFlags
) -> None:
    """The picture and the measures of a finished training, by the best weights it saved."""
    from plausible.cli import display, live
    from plausible.tasks import evaluate
    from plausible.tasks.advise import advise
    from plausible.tasks.course import course_of
    from plausible.tasks.expect import judging_seconds
    from plausible.tasks.sample import weights_used
    from plausible.tasks.save import save_picture, save_report
    from plausible.tasks.too_short import too_short
    from plausible.tasks.trained import Trained

    trained = Trained(run.model(training.device), run, _data=training.data)
    course, which = course_of(trained), weights_used(trained)
    short = too_short(course)
    if short is not None:
        say(str(short))
    if which:
        say(which)
    # it may have been drawn already, of the same weights and noise
    picture = pictures.path if pictures.drawn == run.steps("best") else save_picture(trained)
    look = ", ".join(_drawn(run, *([picture.name] if picture else ())))
    again = f"plausible evaluate {shlex.quote(str(run.folder))}"
    if not flags.evaluate:
        say(f"look at {look}; not judged: {again}" if look else f"not judged: {again}")
        return
    takes = judging_seconds(trained.model, trained.data, pictures.sampling_seconds)
    say(f"judging it beside data that it never saw, which takes about {live.about(takes)}")
    try:
        with progress_bar("reading") as progress:
            report = evaluate(trained, progress=progress)
    except (
        NotDefined,
        UsageError,
    ) as reason:  # too few held-out examples, say: it is trained all the same
        say(f"not judged: {reason}; look at {look}")
        return
    advice = advise(report, course)
    save_report(report, run.folder, training.data, advice)
    if advice is not None:
        console.print(display.advice(advice, look), crop=False, highlight=False)
    if flags.verbose and report.verdict is not None:
        console.print(display.verdict(report.verdict))
    if flags.verbose or advice is None:
        console.print(display.report(report))
    say(f"all of it in {run.folder}, every number in measures.json; judge again with: {again}")


def _drawn(run: "Run", *names: str) -> list[str]:
    """The pictures of its training that a run has: the first by its path, the others by their names."""
    names = (*names, "training.gif", "training.png")
    there = [name for name in names if (run.folder / name).exists()]
    return [str(run.folder / name) if not i else name for i, name in enumerate(there)]


def _paths(run: "Run") -> list[Path]:
    """The pictures of a training that a run has."""
    names = ("samples.png", "training.gif", "training.png")
    return [run.folder / name for name in names if (run.folder / name).exists()]
