"""plausible push."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import tyro

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import RunFolder
from plausible.cli.checks import check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import say, say_notes


@commands
@dataclass(frozen=True)
class Push(Command):
    """Give a trained model away: its weights, its configuration and a card with the verdict, to a folder or the hub.

    Nothing of its data goes with it, and no path of this machine; what goes is said before.

    Example: plausible push runs/gan-digits-20260101-120000 --to digits-gan
    """

    answers: ClassVar[type[Any]] = documents.GivenAway
    run_folder: RunFolder
    to: Annotated[str, tyro.conf.arg(metavar="FOLDER|hub:USER/NAME")]
    """Write to this folder, or to this model of the Hugging Face hub, as hub:user/name, which needs to be logged in."""
    data_name: str | None = None
    """Call the data so in there; by default their own name where everybody has them, as digits, and otherwise private-data."""
    public: bool = False
    """Let everybody see a model that is new on the hub; by default it is private, and the hub's pages change that."""

    def run(self) -> None:
        """Say what will go, and write it."""
        check_run(self.run_folder)
        from plausible.tasks import push

        pushed = push(
            self.run_folder,
            self.to,
            data_name=self.data_name,
            public=self.public,
            on_notes=say_notes,
        )
        say(
            f"{self.run_folder} is at {pushed.place}: its README.md is the card, where the licence is yours to say"
        )
        say(f"plausible pull {self.to} makes a run of it again")
        answer(documents.GivenAway(self.run_folder, pushed.place, pushed.files, pushed.notes))
