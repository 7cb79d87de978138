"""plausible sweep."""

import shlex
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import MANY_TIMES, Device, Evaluated, Positive, Seed
from plausible.cli.command import Command, commands
from plausible.cli.console import console, progress_bar, say, say_notes
from plausible.core.bounds import MINUTES, flag
from plausible.core.errors import UsageError, unknown
from plausible.data.options import DEFAULTS, Options
from plausible.data.source import resolve_source

if TYPE_CHECKING:
    from rich.table import Table

    from plausible.core.model import Model
    from plausible.tasks import Swept
    from plausible.tasks.sweep import Trial


@commands
@dataclass(frozen=True)
class Sweep(Command):
    """Which choices of a model suit these data?  Trials, measured by validation data; the best is judged once.

    The same command goes on with a sweep that was stopped, or takes more trials.  Each trial is a run like any other.

    Example: plausible sweep vae --data digits --trials 20 --search lr,width=16:128 --steps 500
    """

    usual: ClassVar[tuple[str, ...]] = (
        "data", "trials", "minutes", "steps", "total_minutes", "search", "fix", "per_class", "workers", "study",
    )  # fmt: skip
    answers: ClassVar[type[Any]] = documents.Swept
    model: Annotated[
        Positional[str], tyro.conf.arg(metavar="MODEL", help="The family to try, such as vae.")
    ]
    data: str = "digits"
    """Learn from these data, a name or a path."""
    preparation: OmitArgPrefixes[Options] = DEFAULTS
    trials: Annotated[int, MANY_TIMES] = 20
    """The number of trials in all; those of earlier calls counted."""
    steps: Positive | None = None
    """Train each trial for so many rounds; by default for as many as suit the model."""
    minutes: Annotated[float, MINUTES] | None = None
    """Train each trial for so many wall-clock minutes in the place of rounds."""
    total_minutes: Annotated[float, MINUTES] | None = None
    """Divide so many minutes among all trials."""
    search: Annotated[str, tyro.conf.arg(metavar="NAME,...")] = ""
    """Try these choices, with commas between, each with a range (width=16:64) or names (loss=hinge|minimax) if you like; by default the usual numbers."""
    fix: Annotated[str, tyro.conf.arg(metavar="NAME=VALUE,...")] = ""
    """Have every trial make these choices, with commas between: conditional=true,latent=16,penalties=r1|r2."""
    per_class: bool = False
    """Have every trial learn one model for each class: p(x | y) of any explicit model."""
    workers: Annotated[int, MANY_TIMES] = 1
    """The number of processes that take trials at the same time."""
    study: Annotated[Path | None, tyro.conf.arg(aliases=["--out"])] = None
    """Keep the trials in this folder, and go on with those in it; by default sweeps/<model>-<data>."""
    evaluate: Evaluated = True
    seed: Seed = 0
    device: Device = "auto"

    def run(self) -> None:
        """Try, show the table, judge the best."""
        source = resolve_source(self.data)
        import plausible.models  # noqa: F401  # fills the registry
        from plausible.core.model import models
        from plausible.tasks import sweep
        from plausible.tasks.sweep import default_study

        kind = models[self.model]
        folder = self.study or default_study(kind.name, source.name, self.per_class)
        with progress_bar("reading") as progress:
            swept = sweep(
                kind,
                self.data,
                trials=self.trials,
                steps=self.steps,
                minutes=self.minutes,
                total_minutes=self.total_minutes,
                search=self.search,
                workers=self.workers,
                seed=self.seed,
                study=folder,
                options=self.preparation,
                config=self._config(kind),
                per_class=self.per_class,
                device=self.device,
                judge=self.evaluate,
                progress=progress,
                on_notes=say_notes,
                on_result=_say_result,
            )
        answer(_document(swept))
        console.print(f"{kind.name}: {swept.measured}", style="bold", soft_wrap=True)
        console.print(_table(swept), highlight=False)
        say(swept.sentence)
        if not swept.finished:
            again = shlex.join(["plausible", *sys.argv[1:]])
            say(f"stopped and saved; the same command goes on: {again}")
            sys.exit(130)
        if swept.best is not None:
            say(
                f"its run is {swept.best.folder}: plausible report {shlex.quote(str(swept.best.folder))}"
            )

    def _config(self, kind: "type[Model]") -> "Model.Config":
        """The choices that stay."""
        from plausible.cli.flags import model_config, train_flags
        from plausible.cli.parser import parse

        made = train_flags(kind)
        known = {each.name for each in fields(kind.Config)}
        words = []
        for each in filter(None, self.fix.split(",")):
            name, _, value = (part.strip() for part in each.partition("="))
            name = name.lstrip("-").replace("-", "_")
            if name not in known:
                raise UsageError(unknown(f"choice of {kind.name}", name, sorted(known)))
            if not value:
                raise UsageError(f"--fix {name} needs a value: {name}=VALUE")
            switch = {"true": flag(name), "false": f"--no-{flag(name)[2:]}"}.get(value)
            words += [switch] if switch else [flag(name), *value.split("|")]
        return model_config(kind, parse(made, words, f"plausible train {kind.name}"))


def _say_result(trial: "Trial") -> None:
    """A line when a trial ends."""
    chosen = ", ".join(f"{name} {_cell(value)}" for name, value in trial.choices.items())
    what = f"{trial.score:.5g}" if trial.score is not None else trial.state
    say(f"trial {trial.number}: {what}, {chosen}{f' ({trial.reason})' if trial.reason else ''}")


def _table(swept: "Swept") -> "Table":
    """A row a trial, the best first."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    names = [each.name for each in swept.plan.space]
    for name in ("trial", "measured", *names):
        table.add_column(name, justify="right")
    table.add_column("")
    for trial in swept.trials:
        number = "" if trial.score is None else f"{trial.score:.5g}"
        cells = [_cell(trial.choices[name]) if name in trial.choices else "" for name in names]
        note = "by default" if trial.number == 0 else ""
        said = trial.reason or (trial.state if trial.score is None else note)
        table.add_row(
            str(trial.number), number, *cells, said, style="bold" if trial is swept.best else ""
        )
    return table


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _document(swept: "Swept") -> documents.Swept:
    rows = tuple(
        documents.TrialEntry(t.folder, t.state, t.choices, t.score, t.reason) for t in swept.trials
    )
    best = None if swept.best is None else swept.best.folder
    return documents.Swept(swept.folder, swept.finished, swept.measured, rows, best, swept.verdict)
