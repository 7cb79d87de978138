"""A file of a server -> the disk: with its checksum or not at all, and on from where an earlier try broke off."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from plausible.core.errors import UsageError

_TIMEOUT = 30.0  # seconds without a byte
_PATIENCE = 10.0  # seconds in which somebody has to answer
_BLOCK = 2**18
_LARGEST = 2**30  # bytes of a file that anybody asks for by name
_NOT_SO_FAR = 416  # what a server says where nothing is left of a file


class Downloading(UserWarning):
    """Something is asked of the network; the sentence says what, of whom and where to, before it happens."""


class NotDownloaded(UsageError):
    """A file did not come; the sentence says why."""


def download(
    url: str, path: Path, md5: str, progress: Callable[[int, int], None] | None = None
) -> None:
    """Fetch a file, which is at its place once all of it is there and its MD5 is right.

    What came of one that broke off lies beside it, and the next try asks for the rest.
    progress(done, total) is called with bytes, the total 0 where the server does not say it.
    NotDownloaded: nobody answers, or with an error; it broke off, or is another file.
    """
    if not url.startswith(("http://", "https://")):
        raise NotDownloaded(f"{url} is no address that begins with http:// or https://")
    part = path.with_name(f".{path.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        _fetch(url, part, progress)
    except HTTPError as error:
        raise NotDownloaded(f"{url}: the server says {error.code} {error.reason}") from error
    except URLError as error:
        raise NotDownloaded(f"{url}: no answer ({_reason(error.reason)})") from error
    except OSError as error:
        raise NotDownloaded(f"{url}: {_reason(error)}") from error
    with part.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != md5:
        part.unlink()
        raise NotDownloaded(
            f"{url} is another file: its MD5 is {found} and not {md5}, so it was not kept"
        )
    os.replace(part, path)


def check_answers(host: str, refusal: str) -> None:
    """UsageError, which is ``refusal``: nobody answers at an address, for which packages wait half a minute and longer."""
    try:
        asked = Request(host, method="HEAD", headers={"User-Agent": "plausible"})
        with urlopen(asked, timeout=_PATIENCE):
            return
    except HTTPError:
        return  # an answer, too
    except (OSError, ValueError) as error:
        raise UsageError(refusal) from error


def _fetch(url: str, part: Path, progress: Callable[[int, int], None] | None) -> None:
    """Write what is missing of a file behind what is there of it."""
    done = part.stat().st_size if part.exists() else 0
    asked = Request(url, headers={"User-Agent": "plausible"})
    if done:
        asked.add_header("Range", f"bytes={done}-")
    try:
        answer = urlopen(asked, timeout=_TIMEOUT)
    except HTTPError as error:
        if error.code != _NOT_SO_FAR or not done:
            raise
        return  # all of it is there, or more: its checksum says which
    with answer, part.open("ab" if done and answer.status == 206 else "wb") as file:
        done = file.tell()
        said = answer.headers.get("Content-Length", "")
        total = done + int(said) if said.isdigit() else 0
        done = _copy(url, answer, file, done, total, progress)
    if done < total:
        raise NotDownloaded(
            f"{url} broke off after {done:,} of {total:,} bytes: the same command asks for the rest"
        )


def _copy(
    url: str, answer: Any, file: IO[bytes], done: int, total: int,
    progress: Callable[[int, int], None] | None,
) -> int:  # fmt: skip
    """The bytes that are there at the end."""
    while max(done, total) <= _LARGEST:
        block = answer.read(_BLOCK)
        file.write(block)
        done += len(block)
        if progress is not None:
            progress(done, total)
        if not block:
            file.flush()
            os.fsync(file.fileno())
            return done
    raise NotDownloaded(
        f"{url} is larger than {_LARGEST / 2**30:.0f} GiB, and no such file is known"
    )


def _reason(error: object) -> str:
    """What the system says, without numbers."""
    return str(getattr(error, "strerror", None) or error).lower()
