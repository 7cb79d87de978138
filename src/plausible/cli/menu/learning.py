"""The taxonomy, training and data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from plausible.cli.checks import run_exists
from plausible.cli.menu.terminal import Device, console
from plausible.core.choices import OnFailure
from plausible.data.options import DEFAULTS, Options, resolve_source


@dataclass(frozen=True)
class Models:
    """The taxonomy: every model, where it stands, its verbs and its kind of probability.

    Example: plausible models
    """

    def run(self) -> None:
        """Print the tree."""
        from rich.tree import Tree

        import plausible.models  # noqa: F401
        from plausible.core.model import models, verbs

        root = Tree("models")
        branches: dict[tuple[str, ...], Tree] = {(): root}
        for model in models.values():
            for depth in range(len(model.place)):
                place = model.place[: depth + 1]
                if place not in branches:
                    branches[place] = branches[place[:-1]].add(place[-1])
            offered = ", ".join(f"{verb} {kind}".strip() for verb, kind in verbs(model).items())
            if "log_prob" not in verbs(model):
                offered += "; no probability of x"
            first = (model.__doc__ or "").splitlines()[0]
            branches[model.place].add(f"[bold]{model.name}[/bold]  {first}\n  verbs: {offered}")
        console.print(root, highlight=False)


class Train:
    """Learn a distribution: plausible train MODEL [--data D] [--steps N | --minutes M] [flags].

    Example: plausible train gan --data my-folder --minutes 10
    """


@dataclass(frozen=True)
class Resume:
    """Go on with a run exactly where it stopped, or to a new total.

    Example: plausible resume runs/gan-digits-20260101-120000 --steps 8000
    """

    run_folder: Annotated[Positional[Path], tyro.conf.arg(name="run")]
    """The folder of the run."""
    steps: int | None = None
    """A new total number of steps."""
    minutes: float | None = None
    """A new total number of minutes."""
    on_failure: OnFailure = "rollback"
    """warn: stop where a number is not finite; rollback: go back once before, with half the learning rate; stop: stop at any failure."""
    watch: bool = True
    """Look at the model every 100 rounds, raise alarms, and keep the best weights."""
    device: Device = "auto"
    """Where to compute."""

    def run(self) -> None:
        """Resume, measure, save."""
        run_exists(self.run_folder)
        from plausible.cli import commands

        commands.resume(self, console)


@dataclass(frozen=True)
class Data:
    """What a data set holds and what will be done with it, without training.

    Example: plausible data my-folder --size 64
    """

    source: Positional[str] = "digits"
    """A name (digits, a toy, mnist) or a path: images, IDX, npy, npz, csv."""
    options: OmitArgPrefixes[Options] = DEFAULTS
    picture: Path | None = None
    """Where to write a picture of some items; by default <name>-data.png."""
    overwrite: bool = False
    """Replace the picture if it exists."""

    def run(self) -> None:
        """Print the survey and write the picture."""
        resolve_source(self.source)
        from plausible.cli import commands

        commands.describe(self.source, self.options, self.picture, self.overwrite, console)
