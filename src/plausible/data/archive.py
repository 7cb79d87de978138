"""What a .zip file holds, as a folder for a while."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plausible.core.errors import UsageError
from plausible.data.limits import check_unpacked
from plausible.data.raw import first_line


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder that a .zip file was made of, until the context ends.

    Where the archive holds nothing but one folder, as archives of a folder do, it is that one.
    UsageError: it is damaged, has a password, or holds more than the limits allow.
    """
    with tempfile.TemporaryDirectory(prefix="plausible-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                check_unpacked(
                    sum(member.file_size for member in archive.infolist()), path, "archive"
                )
                archive.extractall(folder)
        except UsageError:
            raise
        except Exception as error:  # what a damaged archive raises depends on its bytes
            raise UsageError(f"{path} cannot be unpacked: {first_line(error)}") from error
        yield _innermost(Path(folder))


def _innermost(folder: Path) -> Path:
    """The folder itself, or the one folder that is all it holds; what macOS adds does not count."""
    found = [
        path
        for path in folder.iterdir()
        if path.name != "__MACOSX" and not path.name.startswith(".")
    ]
    return _innermost(found[0]) if len(found) == 1 and found[0].is_dir() else folder
