"""Where a data set is: a name or a path -> a ``Source``; torch-free, so a wrong one fails at once."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from plausible.core.errors import UsageError, unknown
from plausible.data.limits import check_regular

TOYS = ("ring", "grid", "moons", "spiral")
IDX_SETS = ("mnist", "fashion-mnist")
GLYPH_SETS = ("glyphs", "letters")
NAMES = ("digits", *GLYPH_SETS, *TOYS, *IDX_SETS)

ITEM = re.compile(r"(train|validation|heldout):(\d+)(?:-(\d+))?")
"""How an input says that it is an item of the data of a run, or several: heldout:3, heldout:0-7."""


@dataclass(frozen=True)
class Source:
    """What a name or a path stands for.

    spec  the name or path as it was typed.
    path  the file or folder behind it; None for a set that needs none (digits, the toys).
    """

    spec: str
    path: Path | None

    @property
    def name(self) -> str:
        """A short name, for run folders: that of the set, or the last part of the path."""
        if self.path is None:
            return self.spec
        path = self.path.expanduser().resolve()
        name = path.name
        if not path.is_dir():
            name = name.removesuffix(".gz").removesuffix(path.suffix)
        return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "data"

    @property
    def address(self) -> str:
        """What finds the data again from any folder: the name of a set, or the whole path."""
        if self.path is None or self.spec in NAMES:
            return self.spec
        return str(self.path.resolve())


def resolve_source(source: str) -> Source:
    """The set, file or folder that a name or path stands for.

    A name wins over a folder that is called the same; ``./digits`` means the folder.
    UsageError: neither a name nor an existing path; a set by name whose files are not here.
    """
    if source in IDX_SETS:
        return Source(source, _idx_set(source))
    if source in NAMES:
        return Source(source, None)
    path = Path(os.path.expanduser(source)) if source.strip() else None
    try:
        there = path is not None and path.exists()
        broken = path is not None and path.is_symlink()
    except (OSError, ValueError):  # a name too long for the file system, or with a null byte
        there = broken = False
    if there and path is not None:
        check_regular(path)
        return Source(source, path)
    if broken:
        raise UsageError(f"{source!r} is a link that leads nowhere or back to itself")
    from plausible.data.readers import in_words, readers  # which needs numpy

    if path is not None and (path.suffix or os.sep in source or "/" in source):
        raise UsageError(
            f"{source} does not exist: give the path of {in_words(readers.values())}, or a name: {', '.join(NAMES)}"
        )
    raise UsageError(
        f"{unknown('data set', source, list(NAMES))}; or give the path of {in_words(readers.values())}"
    )


def resolve_files(source: str, content: str | None = None) -> Path:
    """The file or folder that a path stands for.

    content  what is looked for in it, for the sentence.
    UsageError: as ``resolve_source``, and a set without files.
    """
    path = resolve_source(source).path
    if path is None:
        of = f" of {content}" if content else ""
        raise UsageError(f"{source} is a data set and not a file or folder{of}; use ./{source}")
    return path


def _idx_set(name: str) -> Path:
    """The folder of a set by name: under $PLAUSIBLE_DATA, then ../shared/data of the working
    directory and of the repository around it.
    """
    from plausible.data.readers.idx import idx_path  # which needs numpy

    here = Path.cwd()
    roots = [Path(os.path.expanduser(own))] if (own := os.environ.get("PLAUSIBLE_DATA")) else []
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
