"""Data sets that are known by name: where their files may be, and where they are fetched from where they are nowhere."""

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from plausible.core.errors import UsageError
from plausible.data.cache import cache
from plausible.data.download import Downloading, NotDownloaded, download

MIRROR = "PLAUSIBLE_MIRROR"


@dataclass(frozen=True)
class NamedSet:
    """The files of a set.

    url    of the folder that they are in, where no mirror is chosen.
    files  {name: MD5}, as those who made or distribute it publish them.
    """

    url: str
    files: Mapping[str, str]


def _idx_files(*md5: str) -> dict[str, str]:
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return {f"{name}-ubyte.gz": each for name, each in zip(names, md5, strict=True)}


# the checksums of torchvision.datasets, and of https://www.cs.toronto.edu/~kriz/cifar.html
NAMED_SETS: Mapping[str, NamedSet] = {
    "mnist": NamedSet(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        _idx_files(
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
    ),
    "fashion-mnist": NamedSet(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        _idx_files(
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    "cifar10": NamedSet(
        "https://www.cs.toronto.edu/~kriz",
        {"cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530"},
    ),
}


def set_folder(name: str) -> Path:
    """The folder of a set: where its files are, or else where ``fetch_set`` would put them.

    Looked for under $PLAUSIBLE_DATA, ../shared/data of the working directory and of the repository around it,
    and then under the cache.
    """
    here = Path.cwd()
    roots = [Path(os.path.expanduser(own))] if (own := os.environ.get("PLAUSIBLE_DATA")) else []
    repository = next((p for p in (here, *here.parents) if (p / ".git").exists()), here)
    roots += [p.parent / "shared" / "data" for p in (here, repository)]
    found = next((root / name for root in roots if _holds(root / name)), None)
    return found or cache() / "data" / name


def fetch_set(name: str, progress: Callable[[int, int], None] | None = None) -> Path:
    """The folder of a set, its files fetched where they are nowhere on this machine.

    Warns (``Downloading``) before the network is asked, for the files that are missing alone.
    UsageError: they cannot be fetched; the sentence says where to put them.
    """
    folder, known = set_folder(name), NAMED_SETS[name]
    ours = folder == cache() / "data" / name
    if not ours or all((folder / file).is_file() for file in known.files):
        return folder
    mirror = os.environ.get(MIRROR, "").rstrip("/")
    base = f"{mirror}/{name}" if mirror else known.url
    try:
        _fetch_missing(name, folder, base, progress)
    except (NotDownloaded, OSError) as error:
        raise UsageError(
            f"the files of {name!r} are not on this machine and cannot be fetched ({error}): put {', '.join(known.files)} "
            f"in a folder {name} and set PLAUSIBLE_DATA to the folder that holds it, or pass --data FOLDER, or set "
            f"{MIRROR} to an address below which they are, as {name}/{next(iter(known.files))}"
        ) from error
    return folder


def _fetch_missing(
    name: str, folder: Path, base: str, progress: Callable[[int, int], None] | None
) -> None:
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # another process may fetch them, too
        missing = [file for file in NAMED_SETS[name].files if not (folder / file).is_file()]
        if missing:
            sentence = f"fetching {name} ({', '.join(missing)}) from {base} to {folder}"
            warnings.warn(Downloading(sentence), stacklevel=4)
        for file in missing:
            download(f"{base}/{file}", folder / file, NAMED_SETS[name].files[file], progress)


def _holds(folder: Path) -> bool:
    """Whether a folder has the files of a set, under one of the names that they go by."""
    from plausible.data.readers.cifar import is_cifar  # which need numpy
    from plausible.data.readers.idx import is_idx

    return folder.is_dir() and (is_idx(folder) or is_cifar(folder))
