"""One function a format, from a file or folder to ``Raw``; importing a file registers what it reads.

``reader``  the registry: what a path is of, and what a new reader says of itself
``image_folder``  ``image_tar``  ``idx``  ``cifar``  ``numpy_files``  ``csv_table``  ``parquet``
"""

from pathlib import Path

from plausible.core.errors import UsageError
from plausible.data.images import SUFFIXES
from plausible.data.options import DEFAULTS, Options
from plausible.data.raw import Raw

# in the order of the sentence; the last is asked first, so that others come before any folder
from plausible.data.readers import image_folder, image_tar, idx, cifar  # isort: skip
from plausible.data.readers import numpy_files, csv_table, parquet  # isort: skip
from plausible.data.readers.reader import Progress, Reader, in_words, readers

__all__ = [
    "Progress",
    "Reader",
    "cifar",
    "csv_table",
    "idx",
    "image_folder",
    "image_tar",
    "in_words",
    "numpy_files",
    "parquet",
    "read",
    "readers",
]


def read(path: Path, options: Options = DEFAULTS, progress: Progress | None = None) -> Raw:
    """What a file or folder holds, before anything is decided about labels, levels and split.

    UsageError: no known format, or nothing that can be read.
    """
    if reader := readers.of(path):
        return reader.read(path, options, progress)
    if path.suffix.lower() in SUFFIXES:
        raise UsageError(f"{path} is one image, and a data set needs many: give their folder")
    raise UsageError(f"{path} is of no known format: give {in_words(readers.values())}")
