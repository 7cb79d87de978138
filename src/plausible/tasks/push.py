"""Give a model away: weights, configuration and a card, in a folder or on the hub, and nothing of its data."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plausible.core.errors import UsageError
from plausible.data.hub_name import is_hub
from plausible.runs import Run
from plausible.runs.checksums import CHECKSUMS
from plausible.runs.files import write
from plausible.runs.given_away import CARD, GIVEN, given_config, public_source, write_given
from plausible.tasks.model_card import card_of
from plausible.tasks.model_hub import model_name, upload
from plausible.tasks.trained import Trained, TrainedLike, open_trained

Notes = Callable[[tuple[str, ...]], None]


@dataclass(frozen=True)
class Pushed:
    """What was given away.

    place  where it is: a folder, or an address.
    files  {name: bytes}.
    notes  what went out, and what did not, as it was said before.
    """

    place: str
    files: Mapping[str, int]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Pushed {', '.join(self.files)} to {self.place}"


def push(
    source: TrainedLike,
    to: str | Path,
    *,
    data_name: str | None = None,
    public: bool = False,
    on_notes: Notes = lambda notes: None,
) -> Pushed:
    """Write the best weights of a run, its configuration without paths, and a model card to a folder, or hub:user/name.

    data_name  what its data are called in there; by default their own name where everybody has them, and otherwise
               "private-data".
    public     whether a model that is new on the hub is for everybody.
    on_notes   called with what will go out, before anything does.
    What an earlier push wrote is replaced.  Raises UsageError for what is kept in no run, a folder that holds anything
    else, a hub that cannot be reached.
    """
    trained, place = open_trained(source, device="cpu"), str(to)
    run = _run_of(trained)
    there = f"hub:{model_name(place)}" if is_hub(place) else _checked(Path(place), run)
    config = given_config(run, data_name)
    opens = there if is_hub(place) else Path(place).resolve().name  # no path of this machine
    card = card_of(trained, config, opens, public_source(run))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_given(run, config, folder)
        (folder / CARD).write_text(card, "utf-8")
        files = {name: (folder / name).stat().st_size for name in GIVEN}
        notes = _notes(there, files, config)
        if not is_hub(place) and (Path(place) / CARD).exists():
            notes += (
                f"they take the place of those in {there}, the card with what you wrote into it",
            )
        on_notes(notes)
        if is_hub(place):
            return Pushed(upload(folder, there, GIVEN, public=public), files, notes)
        return Pushed(_copied(folder, Path(place)), files, notes)


def _run_of(trained: Trained) -> Run:
    if trained.run is None:
        raise UsageError(f"this {trained.model.name} is kept in no run: give fit a folder as out")
    return trained.run


def _checked(folder: Path, run: Run) -> str:
    """The folder in words; UsageError where it holds anything but an earlier push."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: choose a folder as --to")
    others = {path.name for path in folder.iterdir()} - {*GIVEN} if folder.exists() else set()
    own = folder.exists() and folder.resolve() == run.folder.resolve()
    if others or own:
        raise UsageError(
            f"{folder} holds {'the run itself' if own else f'other files, such as {min(others)}'}: choose another folder as --to"
        )
    return str(folder)


def _copied(made: Path, folder: Path) -> str:
    """The checksums first: a killed process leaves files that are known as not yet those."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (CHECKSUMS, *(name for name in GIVEN if name != CHECKSUMS)):
            write(folder / name, (made / name).read_bytes())
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}") from error
    return str(folder)


def _notes(place: str, files: Mapping[str, int], config: Mapping[str, Any]) -> tuple[str, ...]:
    """What goes out, and what does not."""
    listed = ", ".join(f"{name} ({size:,} bytes)" for name, size in files.items())
    data = config["data"]
    names = [
        f"{what} {', '.join(data[key])}"
        for what, key in (("the classes", "class_names"), ("the columns", "columns"))
        if data[key]
    ]
    also = f", the names of {' and of '.join(names)}" if names else ""
    return (
        f"to {place} go: {listed}",
        f"in them are the weights, all choices, SHA-256 hashes of the data, which are called {data['name']!r}{also}",
        "no example, no picture, no path, no log and no score of single examples is among them",
    )
