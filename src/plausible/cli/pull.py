"""plausible pull."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro
from tyro.conf import Positional

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.checks import check_new_run
from plausible.cli.command import Command, commands
from plausible.cli.console import say


@commands
@dataclass(frozen=True)
class Pull(Command):
    """Take a model that plausible push gave away, as a run: from a folder, or from the hub.

    Every file is held against its checksum, and none of them is a pickle.

    Example: plausible pull hub:user/digits-gan
    """

    answers: ClassVar[type[Any]] = documents.Taken
    source: Annotated[
        Positional[str],
        tyro.conf.arg(
            metavar="FOLDER|hub:USER/NAME",
            help="The folder that it was pushed to, or a model of the hub.",
        ),
    ]
    out: Path | None = None
    """Make the run in this folder; by default runs/NAME."""

    def run(self) -> None:
        """Take it, and say what it is."""
        if self.out is not None:
            check_new_run(self.out)
        from plausible.core.model import Generative
        from plausible.tasks import pull

        run = pull(self.source, self.out)
        draws = issubclass(run.kind, Generative)
        use = f"sample {run.folder} --out samples.npz" if draws else f"classify {run.folder} PATH"
        say(
            f"{run.folder} is a {run.learned} of {run.config['data']['name']}, every file what was pushed"
        )
        say(f"next: plausible {use}")
        answer(documents.Taken(run.folder, run.learned, run.config["data"]["name"]))
