"""plausible train."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from plausible.cli import documents
from plausible.cli.checks import check_new_run, check_run
from plausible.cli.command import commands
from plausible.cli.console import counting_bar, progress_bar, say, say_notes
from plausible.cli.ranks import become_ranks
from plausible.core.errors import UsageError
from plausible.data.source import resolve_source

if TYPE_CHECKING:
    from plausible.runs import Run


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
    from plausible.cli.play import play
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
    if _goes_on(flags.out):
        _go_on(flags)
        return
    resolve_source(flags.data)
    config, training_flags = model_config(kind, flags), flags.training
    check_mirrors(training_flags.log_to)
    settings, device = settings_of(flags), resolve_device(training_flags.device)
    folder = flags.out or default_folder(name, Path(flags.data).stem)
    if not distributed.launched():
        processes = training_flags.processes
        check_new_run(folder)
        if settings.shard:
            _check_shard(
                processes, [flag for flag, run in (("--init", begun), ("--from", decoder)) if run]
            )
        if processes > 1:
            become_ranks(processes, ["train", name, *arguments, "--out", str(folder)])
    world = distributed.join(device)
    with counting_bar(f"reading {flags.data}", quiet=not world.leads) as count:
        if decoder is None:
            data = load(flags.data, flags.preparation, count)
        else:
            data = decoder.data(value_of(arguments, "--data"), "resume")
    if world.leads:
        say_notes(data.notes)
        say_notes(() if repeated is None else differences(repeated, data, settings))
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


def _check_shard(processes: int, beginnings: list[str]) -> None:
    """UsageError where --shard has nobody to share with, or a beginning that is not its own."""
    if processes == 1:
        raise UsageError("--shard shares the weights among processes: add --processes 2 or more")
    if beginnings:
        raise UsageError(
            f"--shard begins with weights of its own: leave out {beginnings[0]}, or train without it"
        )


def _goes_on(folder: Path | None) -> bool:
    """Whether torchrun has started a job anew that has saved something; UsageError where it does not say in which folder."""
    from plausible.training import distributed

    again = distributed.restarts()
    if again is None:
        return False
    if folder is None:
        raise UsageError(
            "torchrun starts processes on machines that must all find the run: give its folder with --out"
        )
    if not again:
        return False
    if distributed.leads():
        from plausible.runs.folder import clear_attempt

        return clear_attempt(folder)
    return (folder / "state.pt").exists()


def _go_on(flags: Any) -> None:
    """What the command would do if the run that it began were resumed."""
    from plausible.cli.resume import Resume

    training = flags.training
    Resume(
        run_folder=flags.out,
        steps=flags.steps,
        minutes=flags.minutes,
        on_failure=training.on_failure,
        watch=training.watch,
        evaluate=training.evaluate,
        verbose=training.verbose,
        device=training.device,
    ).run()


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
