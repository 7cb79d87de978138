"""Take a model that somebody gave away, from the hub or a folder, as a run."""

import os
import shutil
from pathlib import Path

from plausible.core.errors import UsageError
from plausible.data.hub_name import is_hub
from plausible.runs import Run
from plausible.runs.given_away import GIVEN, write_taken
from plausible.tasks.model_hub import download, model_name


def pull(source: str | Path, out: str | Path | None = None) -> Run:
    """The run of a model that ``push`` wrote to a folder, or to hub:user/name: a copy of it in a new folder.

    out  where it is put, by default runs/NAME.
    Only the files that ``push`` writes are taken, none of which is a pickle, and each is held against its checksum.
    UsageError: they are not there, or not what was pushed; the folder is taken; the hub cannot be reached.
    """
    place = str(source)
    folder = Path(out) if out is not None else Path("runs") / _name(place)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder} exists, and a run is never overwritten: choose another --out")
    files = download(place, GIVEN) if is_hub(place) else _files(Path(place))
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        beside.mkdir(parents=True)
        write_taken(files, beside, place)
        if folder.exists():
            folder.rmdir()
        beside.rename(folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Run(folder)


def _name(place: str) -> str:
    """Of the folder of the run: the last part of where it comes from."""
    return model_name(place).rpartition("/")[2] if is_hub(place) else Path(place).resolve().name


def _files(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is no folder: give one that plausible push wrote, or hub:user/name"
        )
    links = [name for name in GIVEN if (folder / name).is_symlink()]
    if links:
        raise UsageError(
            f"{links[0]} in {folder} is a link, and no link of somebody else is followed"
        )
    return {name: (folder / name).read_bytes() for name in GIVEN if (folder / name).is_file()}
