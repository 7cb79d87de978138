"""What can be asked of a data set, and where it is: torch-free, so a wrong name fails at once."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from plausible.core.errors import UsageError, unknown

TOYS = ("ring", "grid", "moons", "spiral")
IDX_SETS = ("mnist", "fashion-mnist")
NAMES = ("digits", *TOYS, *IDX_SETS)
FORMATS = "a folder of images, an IDX file or folder, or a .npy, .npz or .csv file"


@dataclass(frozen=True)
class Options:
    """How a source becomes a data set; the command line turns every field into a flag."""

    size: int | None = None
    """Side in pixels that images are cropped and resized to."""

    channels: Literal[1, 3, 4] | None = None
    """1 grey, 3 colour, 4 colour with alpha; decided from the images unless given."""

    background: Literal["white", "black"] = "white"
    """What shows through where an image is transparent."""

    levels: int | None = None
    """Number of grey levels a pixel can take, 2 to 256."""

    binarise: Literal["threshold", "static", "dynamic"] | None = None
    """Black and white: cut at half, drawn once, or drawn anew at each use with the grey value as
    probability."""

    label: str | None = None
    """Column of a .csv file that holds the class."""

    mutate: float | None = None
    """Replace this share of all coordinates, 0.1 to 0.3, to learn a background model."""


DEFAULTS = Options()


def resolve_source(source: str) -> Path | None:
    """The file or folder behind a source, or None for a set that needs none (digits, the toys).

    A name wins over a folder that is called the same; ``./digits`` means the folder.
    UsageError: neither a name nor an existing path; a set by name whose files are not here.
    """
    if source in IDX_SETS:
        return _idx_set(source)
    if source in NAMES:
        return None
    path = Path(os.path.expanduser(source)) if source.strip() else None
    try:
        if path is not None and path.exists():
            return path
        broken = path is not None and path.is_symlink()
    except (OSError, ValueError):  # a name too long for the file system, or with a null byte
        broken = False
    if broken:
        raise UsageError(f"{source!r} is a link that leads nowhere or back to itself")
    raise UsageError(f"{unknown('data set', source, list(NAMES))}; or give the path of {FORMATS}")


def idx_path(folder: Path, part: str, content: str) -> Path | None:
    """The IDX file of a part ("train", "t10k") and content ("images", "labels") under its usual
    names, gzipped or not; None if there is none.
    """
    rank = 3 if content == "images" else 1
    for dash in "-.":
        for ending in ("", ".gz"):
            path = folder / f"{part}-{content}{dash}idx{rank}-ubyte{ending}"
            if path.is_file():
                return path
    return None


def _idx_set(name: str) -> Path:
    """The folder of a set by name: under $PLAUSIBLE_DATA, then ../shared/data of the working
    directory and of the repository around it.
    """
    here = Path.cwd()
    roots = [Path(os.path.expanduser(given))] if (given := os.environ.get("PLAUSIBLE_DATA")) else []
    repository = next((p for p in (here, *here.parents) if (p / ".git").exists()), here)
    roots += [p.parent / "shared" / "data" for p in (here, repository)]
    for root in roots:
        if idx_path(root / name, "train", "images"):
            return root / name
    raise UsageError(
        f"the files of {name!r} are not on this machine: put the usual four "
        f"(train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, "
        f"t10k-labels-idx1-ubyte.gz) in a folder {name} and set PLAUSIBLE_DATA to the folder "
        f"that holds it, or pass --data FOLDER"
    )
