"""What a .zip or .tar file holds, as a folder for a while."""

import gzip
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Self

from plausible.core.errors import UsageError
from plausible.data.limits import check_limit, check_unpacked
from plausible.data.raw import first_line

ZIP, TAR = (".zip",), (".tar", ".tar.gz", ".tgz")
_BLOCK = 512  # bytes of what a .tar says of a member
_HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_MOST_ZEROS = 2**12  # blocks of nothing at the end
_LONGEST = 2**20  # bytes of a name and of what else is said of a member


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder that a .zip or .tar file was made of, until the context ends.

    Where the archive holds nothing but one folder, as archives of a folder do, it is that one.
    UsageError: it is damaged, has a password, holds more than the limits allow, or a member that is a link or leads out.
    """
    with tempfile.TemporaryDirectory(prefix="plausible-") as folder:
        unpack(path, Path(folder))
        yield _innermost(Path(folder))


def unpack(path: Path, folder: Path) -> None:
    """Write what an archive holds below a folder.  UsageError: as for ``unpacked``."""
    try:
        (_unzip if path.name.lower().endswith(ZIP) else _untar)(path, folder)
    except UsageError:
        raise
    except Exception as error:  # what a damaged archive raises depends on its bytes
        raise UsageError(f"{path} cannot be unpacked: {first_line(error)}") from error


def tar_members(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """(name, bytes, content) of the files in a .tar, gzipped or not, each to be read before the next one is asked for.

    UsageError: more than the limits allow, a link, a name that leads out.  Errors of many kinds: it is damaged.
    """
    taken = files = 0
    with _open_tar(path) as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # of which there may be millions
            taken += _BLOCK + member.size
            check_unpacked(taken, path, "archive")
            if member.issym() or member.islnk():
                raise UsageError(_of_link(path, member.name))
            if not (member.isreg() or member.isdir()):
                raise UsageError(f"{path} holds {member.name}, which is a device or a pipe")
            _check_name(member.name, path)
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None:
                files += 1
                check_limit("files", files, path)
                yield member.name, member.size, content


class _Member(tarfile.TarInfo):
    """A member of an archive that is read to its end: what is damaged is refused, and not taken for the end."""

    @classmethod
    def fromtarfile(cls, archive: Any) -> Self:
        """The next one.  tarfile.ReadError: damage, the end of the file before that of the archive, zeros without end."""
        zeros = getattr(archive, "zeros", 0)
        try:
            found = super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            archive.zeros = zeros + 1
            if zeros > _MOST_ZEROS:
                raise tarfile.ReadError("nothing but zeros behind its end") from None
            raise
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(f"{error} at byte {archive.offset:,}") from None
        except tarfile.EmptyHeaderError:  # type: ignore[attr-defined]
            if not zeros:
                raise tarfile.ReadError("empty, or cut off") from None
            raise
        archive.zeros = 0
        return found

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _HEADERS and self.size > _LONGEST:
            raise tarfile.ReadError(f"a name of {self.size:,} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


@contextmanager
def _open_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """The archive from its beginning to its end, which is read once; several one after the other are one."""
    with path.open("rb") as file, ExitStack() as stack:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        plain: Any = stack.enter_context(gzip.open(file)) if packed else file
        with tarfile.open(fileobj=plain, mode="r|", tarinfo=_Member, ignore_zeros=True) as archive:
            yield archive


def _untar(path: Path, folder: Path) -> None:
    for name, _, content in tar_members(path):
        place = folder.joinpath(*filter(None, name.split("/")))
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            shutil.copyfileobj(content, file)


def _unzip(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        check_unpacked(sum(member.file_size for member in members), path, "archive")
        for member in members:
            if stat.S_ISLNK(member.external_attr >> 16):
                raise UsageError(_of_link(path, member.filename))
            _check_name(member.filename, path)
        archive.extractall(folder)


def _of_link(path: Path, name: str) -> str:
    return f"{path} holds the link {name}: pack the file that it leads to in its place"


def _check_name(name: str, path: Path) -> None:
    """UsageError: a member would lie outside of the folder that the archive is unpacked to."""
    parts = re.split(r"[/\\]", name)
    if not parts[0] or ".." in parts or re.match(r"[A-Za-z]:[/\\]", name):
        raise UsageError(f"{path} holds {name}, which leads out of it: pack its folder again")


def _innermost(folder: Path) -> Path:
    """The folder itself, or the one folder that is all it holds; what macOS adds does not count."""
    found = [
        path
        for path in folder.iterdir()
        if path.name != "__MACOSX" and not path.name.startswith(".")
    ]
    return _innermost(found[0]) if len(found) == 1 and found[0].is_dir() else folder
