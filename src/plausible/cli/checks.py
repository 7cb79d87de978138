"""What can be refused about paths before anything is read, without torch."""

from pathlib import Path

from plausible.core.errors import UsageError
from plausible.data.numbered import is_there
from plausible.data.source import ITEM


def check_run(folder: Path) -> None:
    """Refuse a folder that is no run."""
    if not (folder / "config.json").is_file():
        reason = "does not exist" if not folder.exists() else "is not a run: it has no config.json"
        if (folder / "weights.safetensors").is_file():
            reason += (
                f", and plausible check {folder} --repair makes it again from what the weights hold"
            )
        inside = sorted(path.parent for path in folder.glob("*/config.json"))
        if inside:
            reason += (
                f"; it holds runs, such as {inside[-1]}, and plausible runs {folder} lists them"
            )
        raise UsageError(f"{folder} {reason}")


def check_inputs(paths: tuple[str, ...]) -> None:
    """Refuse inputs that are not there, or none at all."""
    if not paths:
        raise UsageError("give at least one file or folder to look at")
    for source in paths:
        if not ITEM.fullmatch(source) and not is_there(Path(source).expanduser()):
            raise UsageError(f"{source} does not exist: give a file or a folder")


def check_output(out: str, endings: tuple[str, ...], overwrite: bool, flag: str = "--out") -> None:
    """Refuse an output of another kind, or one that exists and may not be replaced."""
    if not out.lower().endswith(endings):
        raise UsageError(f"{flag} {out} must end in one of {' '.join(endings)}")
    path = Path(out)
    if path.exists() and not overwrite and (path.is_file() or any(path.iterdir())):
        raise UsageError(f"{out} exists: choose another {flag}, or add --overwrite")


def check_new_run(folder: Path) -> None:
    """Refuse the folder of a new run that is there and holds anything."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder} exists, and a run is never overwritten: choose another --out")


def check_output_folder(folder: Path, overwrite: bool) -> None:
    """Refuse a folder to write to that is a file, or holds something that may not be replaced."""
    if folder.is_file():
        raise UsageError(f"{folder} is a file: choose a folder as --out")
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty: choose another --out, or add --overwrite")
