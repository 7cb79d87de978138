"""plausible train."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plausible.cli.command import commands
from plausible.cli.console import console, counting_bar, progress_bar, say, say_notes
from plausible.core.choices import OnFailure
from plausible.core.errors import NotDefined, UsageError
from plausible.data.source import resolve_source

if TYPE_CHECKING:
    from plausible.diagnosis import Finding
    from plausible.runs import Run
    from plausible.training import Training


@commands
class Train:
    """Learn a distribution: plausible train MODEL [--data D] [--steps N | --minutes M] [flags].

    Example: plausible train gan --data my-folder --minutes 10
    """

    def __init__(self, arguments: list[str]):
        self.arguments = arguments

    def run(self) -> None:
        """Say which models there are, or learn with one of them."""
        if not self.arguments or self.arguments[0] in ("-h", "--help"):
            print(f"{_documentation()}\n\nMODEL is one of:\n{_taxonomy()}\n")
            print("plausible train MODEL --help lists the flags of a model.")
            if not self.arguments:
                raise UsageError("plausible train needs a MODEL, such as gan")
            return
        name, flags = self.arguments[0], self.arguments[1:]
        source = value_of(flags, "--data")
        if source is not None:
            resolve_source(source)
        _train(name, flags)


def _train(name: str, arguments: list[str]) -> None:
    """Read the data, build the model, and play."""
    import plausible.models  # noqa: F401  # fills the registry
    from plausible.cli.flags import model_config, settings_of, train_flags
    from plausible.cli.parser import parse
    from plausible.core.device import resolve_device
    from plausible.core.model import models
    from plausible.data.load import load
    from plausible.runs import default_folder
    from plausible.tasks.start import configuration, start
    from plausible.training import distributed

    kind = models[name]
    config = configuration(kind, value_of(arguments, "--preset"))
    flags = parse(train_flags(kind, config), arguments, f"plausible train {name}")
    resolve_source(flags.data)
    config, training_flags = model_config(kind, flags), flags.training
    settings, device = settings_of(flags), resolve_device(training_flags.device)
    folder = flags.out or default_folder(name, Path(flags.data).stem)
    if not distributed.launched():
        processes = training_flags.processes
        if folder.exists():
            raise UsageError(
                f"{folder} exists, and a run is never overwritten: choose another --out"
            )
        if processes < 1:
            raise UsageError(f"--processes must be at least 1, not {processes}")
        if processes > 1:
            again = ["train", name, *arguments, "--out", str(folder)]
            sys.exit(distributed.launch(processes, again))
    world = distributed.join(device)
    with counting_bar(f"reading {flags.data}", quiet=not world.leads) as count:
        data = load(flags.data, flags.preparation, count)
    if world.leads:
        say_notes(data.notes)
    run, training = start(
        kind,
        data,
        config=config,
        settings=settings,
        per_class=training_flags.per_class,
        out=folder,
        device=training_flags.device,
        world=world,
    )
    play(run, training, training_flags.watch, training_flags.on_failure)


def play(run: "Run", training: "Training[Any]", watched: bool, on_failure: OnFailure) -> None:
    """Train while showing and monitoring it, then evaluate; on Ctrl-C say how to go on."""
    from plausible.cli import display
    from plausible.tasks.fit_steps import Failed, fit_steps, monitored
    from plausible.training import distributed

    leads = training.world.leads
    if leads:
        say(display.beginning(training, run))
    reported: list[Finding] = []

    def on_finding(finding: "Finding") -> None:
        reported.append(finding)
        console.print(display.alarm(finding), soft_wrap=True)

    monitor = monitored(run, training) if watched else None
    steps = fit_steps(run, training, monitor, on_failure, on_finding)
    try:
        for _ in display.show_progress(steps, training.settings.steps, console if leads else None):
            pass
    except Failed as failure:
        left = "holds the last save" if (run.folder / "state.pt").exists() else "holds nothing yet"
        what = "that failure" if reported else str(failure)
        if leads:
            say(f"stopped by {what}; {run.folder} {left}")
        sys.exit(3)
    finished = training.finished
    training.pause()
    distributed.leave()  # rank 0 evaluates alone, and the others end now
    if leads:
        took = display.duration(training.seconds)
        if finished:
            say(f"trained for {took}")
            _finish(run, training)
        else:
            say(f"stopped after {took} and saved; go on with: plausible resume {run.folder}")
    if not finished:
        sys.exit(130)


def _finish(run: "Run", training: "Training[Any]") -> None:
    """The picture and the measures of a finished training, by the best weights it saved."""
    from plausible.cli import display
    from plausible.tasks import evaluate
    from plausible.tasks.advise import advise
    from plausible.tasks.course import course_of
    from plausible.tasks.sample import weights_used
    from plausible.tasks.save import save_picture, save_report
    from plausible.tasks.trained import Trained

    trained = Trained(run.model(training.device), run, _data=training.data)
    which = weights_used(trained)
    if which:
        say(which)
    picture = save_picture(trained)
    if picture is not None:
        say(f"samples drawn in {picture}")
    try:
        with progress_bar("reading") as progress:
            report = evaluate(trained, progress=progress)
    except (
        NotDefined,
        UsageError,
    ) as reason:  # too few held-out examples, say: it is trained all the same
        say(f"not judged: {reason}")
        return
    advice = advise(report, course_of(trained))
    save_report(report, run.folder, training.data, advice)
    console.print(display.report(report))
    if advice is not None:
        console.print(display.advice(advice), crop=False, highlight=False)
    say(f"all of it in {run.folder}; judge again with: plausible evaluate {run.folder}")


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

    text = (Path(__file__).parent.parent / "models" / "__init__.py").read_text()
    tree = ast.get_docstring(ast.parse(text)) or ""
    return tree.split("\n\n", 1)[1]
