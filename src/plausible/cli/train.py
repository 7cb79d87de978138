"""plausible train."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from plausible.cli import documents
from plausible.cli.answer import answer, answered_elsewhere
from plausible.cli.checks import check_new_run, check_run
from plausible.cli.command import commands
from plausible.cli.console import console, counting_bar, progress_bar, say, say_notes
from plausible.core.choices import LogTo, OnFailure
from plausible.core.errors import NotDefined, UsageError
from plausible.data.source import resolve_source

if TYPE_CHECKING:
    from plausible.diagnosis import Finding
    from plausible.runs import Run
    from plausible.tasks.training_pictures import TrainingPictures
    from plausible.training import Training

_PROCESS = 2**28  # bytes that a process takes before it has learned anything


@commands
class Train:
    """Learn a distribution: plausible train MODEL [--data D] [--steps N | --minutes M] [flags].

    Example: plausible train gan --data my-folder --minutes 10
    """

    answers: ClassVar[type[Any]] = documents.Learned

    def __init__(self, arguments: list[str]):
        self.arguments = arguments

    def run(self) -> None:
        """Say which models there are, or learn with one of them."""
        if not self.arguments or self.arguments[0] in ("-h", "--help", "--help-all"):
            print(f"{_documentation()}\n\nMODEL is one of:\n{_taxonomy()}\n")
            print("plausible help train MODEL says which flags of a model matter first.")
            if not self.arguments:
                raise UsageError("plausible train needs a MODEL, such as gan")
            return
        name, flags, repeated = self._named()
        source = value_of(flags, "--data")
        if source is not None:
            resolve_source(source)
        _train(name, flags, repeated)

    def _named(self) -> "tuple[str, list[str], Run | None]":
        """The model, the flags, of a file too, and the run whose file that is."""
        file = value_of(self.arguments, "--config")
        if file is not None and "--help" not in self.arguments:
            from plausible.cli.config_file import with_file

            return with_file(Path(file), self.arguments)
        if self.arguments[0].startswith("-"):
            raise UsageError(
                f"plausible train needs a MODEL before {self.arguments[0]}, such as gan"
            )
        return self.arguments[0], self.arguments[1:], None


def _train(name: str, arguments: list[str], repeated: "Run | None" = None) -> None:
    """Read the data, build the model, and play.

    repeated  the run whose flags these are.
    """
    import plausible.models  # noqa: F401  # fills the registry
    from plausible.cli.flags import model_config, settings_of, train_flags
    from plausible.cli.parser import parse
    from plausible.core.allocation import need_memory
    from plausible.core.device import resolve_device
    from plausible.core.model import models
    from plausible.data.load import load
    from plausible.runs import default_folder
    from plausible.runs.go_on import start_of
    from plausible.runs.mirrors import check_mirrors
    from plausible.runs.warm_start import initial_of
    from plausible.tasks.repeat import differences
    from plausible.tasks.start import configuration, start
    from plausible.training import distributed

    kind = models[name]
    begun, decoder = _begun(name, arguments), _decoder(arguments)
    config = configuration(kind, value_of(arguments, "--preset"), begun)
    flags = parse(train_flags(kind, config), arguments, f"plausible train {name}")
    resolve_source(flags.data)
    config, training_flags = model_config(kind, flags), flags.training
    check_mirrors(training_flags.log_to)
    settings, device = settings_of(flags), resolve_device(training_flags.device)
    folder = flags.out or default_folder(name, Path(flags.data).stem)
    if not distributed.launched():
        processes = training_flags.processes
        check_new_run(folder)
        if processes > 1:
            need_memory(
                processes * _PROCESS,
                f"{processes:,} processes take",
                "lower --processes",
                least=True,
            )
            again = ["train", name, *arguments, "--out", str(folder)]
            answered_elsewhere()
            sys.exit(distributed.launch(processes, again))
    world = distributed.join(device)
    with counting_bar(f"reading {flags.data}", quiet=not world.leads) as count:
        if decoder is None:
            data = load(flags.data, flags.preparation, count)
        else:
            data = decoder.data(value_of(arguments, "--data"), "resume")
    if world.leads:
        say_notes(data.notes)
        say_notes(() if repeated is None else differences(repeated, data))
    with progress_bar("building the model", quiet=not world.leads) as progress:
        run, training = start(
            kind,
            data,
            config=config,
            settings=settings,
            per_class=training_flags.per_class,
            init=begun,
            decoder=decoder,
            out=folder,
            watch=training_flags.watch,
            device=training_flags.device,
            world=world,
            progress=progress,
        )
    initial = (start_of(run) or initial_of(run)) if world.leads else None
    if initial is not None:
        say(str(initial))
    if world.leads:
        say_notes(run.notes[len(data.notes) :])
    play(run, training, training_flags)


def _begun(name: str, arguments: list[str]) -> "Run | None":
    """The run that --init names, whose choices are the defaults of the flags; refused before anything is read."""
    place = value_of(arguments, "--init")
    if place is None:
        return None
    check_run(Path(place))
    if value_of(arguments, "--data") is None:
        raise UsageError("--init takes weights and no data: say what to learn from with --data")
    from plausible.runs import Run
    from plausible.runs.warm_start import check_family

    run = Run(place)
    check_family(run, name, run.per_class)
    return run


def _decoder(arguments: list[str]) -> "Run | None":
    """The run that --from names, whose data are learned from unless it is said where they are now."""
    place = value_of(arguments, "--from")
    if place is None:
        return None
    check_run(Path(place))
    from plausible.runs import Run

    return Run(place)


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


def value_of(arguments: list[str], flag: str) -> str | None:
    """The value of a flag, before the parser that knows all flags can be made."""
    for i, word in enumerate(arguments):
        if word == flag and i + 1 < len(arguments):
            return arguments[i + 1]
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return None


def _documentation() -> str:
    return (Train.__doc__ or "").replace("\n    ", "\n").strip()


def _taxonomy() -> str:
    """The tree in the docstring of plausible.models, read without importing it (and torch)."""
    import ast

    text = (Path(__file__).parent.parent / "models" / "__init__.py").read_text("utf-8")
    tree = ast.get_docstring(ast.parse(text)) or ""
    return tree.split("\n\n", 1)[1]
