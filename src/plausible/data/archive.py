"""What a .zip file holds, as a folder for a while."""

import re
import stat
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
    UsageError: it is damaged, has a password, holds more than the limits allow, or a member that is a link or leads out.
    """
    with tempfile.TemporaryDirectory(prefix="plausible-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
                check_unpacked(sum(member.file_size for member in members), path, "archive")
                for member in members:
                    _check_member(member, path)
                archive.extractall(folder)
        except UsageError:
            raise
        except Exception as error:  # what a damaged archive raises depends on its bytes
            raise UsageError(f"{path} cannot be unpacked: {first_line(error)}") from error
        yield _innermost(Path(folder))


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    """UsageError: a member is a link, or would lie outside of the folder that the archive is unpacked to."""
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UsageError(
            f"{path} holds the link {member.filename}: pack the file that it leads to in its place"
        )
    parts = re.split(r"[/\\]", member.filename)
    if not parts[0] or ".." in parts or re.match(r"[A-Za-z]:[/\\]", member.filename):
        raise UsageError(
            f"{path} holds {member.filename}, which leads out of it: pack its folder again"
        )


def _innermost(folder: Path) -> Path:
    """The folder itself, or the one folder that is all it holds; what macOS adds does not count."""
    found = [
        path
        for path in folder.iterdir()
        if path.name != "__MACOSX" and not path.name.startswith(".")
    ]
    return _innermost(found[0]) if len(found) == 1 and found[0].is_dir() else folder
