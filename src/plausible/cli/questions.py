"""What classify and score share: flags, and a table on the screen and in a file."""

import csv
import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.table import Table

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import (
    DataPlace,
    Device,
    Draws,
    Natural,
    Overwrite,
    Paths,
    Rate,
    RunFolder,
    Seed,
)
from plausible.cli.checks import check_inputs, check_output, check_run
from plausible.cli.command import Command
from plausible.cli.console import console, say, say_notes
from plausible.core.choices import Novelty
from plausible.core.errors import UsageError
from plausible.data.source import resolve_source

if TYPE_CHECKING:
    from plausible.data.inputs import Inputs
    from plausible.tasks import Trained

SHOWN = 100  # rows of the table on the screen


@dataclass(frozen=True)
class Questions(Command):
    """What is asked of a run about inputs."""

    answers: ClassVar[type[Any]] = documents.Answers
    run_folder: RunFolder
    paths: Paths
    data: DataPlace = None
    background: Path | None = None
    """A run of the same data trained with --mutate 0.2; the score is then ratio."""
    novelty: Novelty | None = None
    """How the implausible is told; by default combined for images, likelihood for vectors."""
    draws: Draws | None = None
    """Draws of z for each log p(x), where it is an estimate; by default the model's (vae: 100)."""
    optimise_posterior: Natural = 0
    """Find a vae's q(z | x) by so many steps of gradient ascent, for each input and class anew (analysis by synthesis)."""
    false_discovery_rate: Rate | None = None
    """Let at most this share of all inputs that are called implausible be good data, on average, in the place of a level."""
    class_conditional: bool = False
    """Hold each class to validation examples of its own, so that good inputs of every class are refused as seldom."""
    out: Path | None = None
    """Also write everything to this file, .csv or .json."""
    seed: Seed = 0
    device: Device = "auto"
    overwrite: Overwrite = False

    def check(self) -> None:
        """Refuse what can be refused without reading anything large."""
        check_run(self.run_folder)
        if self.background is not None:
            check_run(self.background)
            if self.novelty not in (None, "ratio"):
                raise UsageError(f"--background is for --novelty ratio, not {self.novelty}")
        if self.data is not None:
            resolve_source(self.data)
        check_inputs(self.paths)
        if self.out is not None:
            check_output(str(self.out), (".csv", ".json"), self.overwrite)

    def asked(self) -> "tuple[Trained, Inputs, dict[str, Any]]":
        """The run, what it is asked about, and how: the arguments that both tasks take."""
        from plausible.tasks import open_trained
        from plausible.tasks.inputs import as_inputs

        trained = open_trained(self.run_folder, self.data, device=self.device, request="score")
        how = {
            "background": self.background,
            "novelty": self.novelty,
            "draws": self.draws,
            "optimise_posterior": self.optimise_posterior,
            "false_discovery_rate": self.false_discovery_rate,
            "class_conditional": self.class_conditional,
            "seed": self.seed,
            "device": self.device,
        }
        return trained, as_inputs(self.paths, trained), how

    def show(self, notes: tuple[str, ...], table: Table, rows: list[dict[str, Any]]) -> None:
        """Notes and table on the screen, everything in the file that was asked for."""
        from plausible.tasks.save import save_bytes

        answer(documents.Answers(self.run_folder, tuple(notes), tuple(rows)))
        say_notes(notes)
        console.print(table, highlight=False)
        if len(rows) > SHOWN:
            say(f"... and {len(rows) - SHOWN:,} more: --out FILE.csv has them all")
        if self.out is not None:
            write = _json if self.out.suffix.lower() == ".json" else _csv
            save_bytes(self.out, write(rows))
            say(f"all of it in {self.out}")


def table(title: str, columns: tuple[str, ...], left: tuple[str, ...] | None = None) -> Table:
    """A table with so many columns; those not in ``left`` (by default all are) stand to the right."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for name in columns:
        made.add_column(
            name, justify="left" if left is None or name in left else "right", overflow="fold"
        )
    return made


def _json(rows: list[dict[str, Any]]) -> bytes:
    plain = [{k: _finite(value) for k, value in row.items()} for row in rows]
    return (json.dumps(plain, indent=2, allow_nan=False) + "\n").encode()


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: null stands for them."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _csv(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()
