"""Pictures in .tar files: folders as classes, or samples of a key each as WebDataset packs them; one file or several."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from plausible.core.errors import UsageError
from plausible.data.archive import TAR, unpack, unpacked
from plausible.data.image_files import ImageFiles, find_images, printable
from plausible.data.options import Options
from plausible.data.raw import Raw
from plausible.data.readers.column_roles import CLASS_COLUMNS
from plausible.data.readers.file_parts import tests_last
from plausible.data.readers.image_folder import label_by_folder, read_pictures
from plausible.data.readers.reader import Progress, files_of, left_beside, readers

SIDECARS = (".cls", ".json")
"""What holds the class of a picture beside it, the first that is there."""
_KEYS = ("cls", *CLASS_COLUMNS)  # of the class in a .json
_LARGEST = 2**20  # bytes of a file that holds a class


@contextmanager
def open_tar(
    path: Path, options: Options, notes: list[str], labelled: bool
) -> Iterator[ImageFiles]:
    """The pictures of a .tar file, of a folder of them or of a numbered list of them, with their classes if ``labelled``."""
    shards = files_of(path, TAR)
    if len(shards) == 1:
        with unpacked(shards[0]) as folder:
            files = find_images(folder, notes, shards[0])
            if labelled:
                _label(files, notes)
            yield files
        return
    with TemporaryDirectory(prefix="plausible-") as name:
        files = _together(path, shards, Path(name), notes)
        if labelled:
            _label(files, notes, below=1)
        yield files


@readers.by_ending(*TAR, pictures=open_tar, several=True)
def image_tar(path: Path, options: Options, progress: Progress | None) -> Raw:
    """All pictures of .tar files as ``image_folder`` reads a folder; classes that WebDataset packs beside them are read.

    Of several files those called test are the held-out part.
    """
    notes: list[str] = []
    with open_tar(path, options, notes, True) as files:
        return read_pictures(files, notes, options, progress)


def _together(path: Path, shards: list[Path], folder: Path, notes: list[str]) -> ImageFiles:
    """The pictures of several files, each unpacked to a folder of its own."""
    shards, tests = tests_last(shards)
    files = ImageFiles(folder, path.parent if not path.is_dir() else path)
    tested: set[Path] = set()
    for shard in shards:
        place = folder / shard.name
        place.mkdir()
        unpack(shard, place)
        found = find_images(place, notes, shard)
        files.paths += found.paths
        files.left_out += found.left_out
        tested |= set(found.paths) if shard in tests else set()
    files.tested = frozenset(tested)
    notes.append(f"{len(shards):,} .tar files are read as one set")
    files.left_out += left_beside(path, shards)
    return files


def _label(files: ImageFiles, notes: list[str], below: int = 0) -> None:
    """Classes by what lies beside the pictures, or else by folders."""
    ending = next((each for each in SIDECARS if _label_beside(files, each, notes)), None)
    if ending is None:
        label_by_folder(files, notes, below)
    else:
        files.left_out = files.left_out - Counter({ending: len(files.paths)})


def _label_beside(files: ImageFiles, ending: str, notes: list[str]) -> bool:
    """Label each file by the one of its key with this ending, where all have one that says a class; whether they do.

    UsageError: some have and others have none.
    """
    words = {path: _word(path.with_name(_key(path) + ending)) for path in files.paths}
    known = {path: word for path, word in words.items() if word is not None}
    if not known:
        return False
    if len(known) < len(words):
        first = next(path for path in words if path not in known)
        raise UsageError(
            f"{files.name}: {len(known):,} of {len(words):,} pictures have a class in a {ending} file beside them, "
            f"and {files.shown(first)} has none"
        )
    files.labels = list(known.values())
    notes.append(f"the {ending} file beside each picture is its class, as WebDataset packs them")
    _keep_one_each(files, notes)
    return True


def _keep_one_each(files: ImageFiles, notes: list[str]) -> None:
    """Leave out the other pictures of a sample: of 000.png and 000.mask.png the second."""
    plain = {path.with_name(_key(path)) for path in files.paths if _is_plain(path)}
    kept = [
        i
        for i, path in enumerate(files.paths)
        if _is_plain(path) or path.with_name(_key(path)) not in plain
    ]
    if more := len(files.paths) - len(kept):
        notes.append(
            f"{more:,} further pictures of samples, as 000.mask.png of 000.png, are left out"
        )
        files.keep(kept)


def _key(path: Path) -> str:
    """What WebDataset calls a sample: the name up to its first point."""
    return path.name.partition(".")[0]


def _is_plain(path: Path) -> bool:
    return path.name.count(".") == 1


def _word(path: Path) -> str | None:
    """The class that a file says, a line of text or an entry of JSON; None where it says none."""
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return None
    text = path.read_bytes().decode("utf-8", "replace").strip()
    found = text if path.suffix == ".cls" else _entry(text)
    return printable(found) if found and "\n" not in found else None


def _entry(text: str) -> str | None:
    """The first of ``_KEYS`` that JSON holds a number or a word under."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    words = [content.get(key) for key in _KEYS] if isinstance(content, dict) else []
    return next((str(word) for word in words if isinstance(word, int | str)), None)
