"""One writer a run: whoever trains holds a lock on its folder, and a second one is told by whom."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from plausible.core.errors import UsageError

LOCK, OWNER = ".lock", ".owner.json"
_BEAT = 10.0  # seconds between two signs of life
_STALE = 300.0  # seconds without one, after which a writer on another machine is taken for dead


@contextmanager
def writer(folder: Path) -> Iterator[Callable[[], None]]:
    """Hold the lock of a run; yields a function that is called now and then as a sign of life.

    On one machine the lock ends with its process, however that ends.  Over a network file system, where it may not
    reach, whoever gave a sign of life less than five minutes ago still writes.
    Raises UsageError where another process trains this run.
    """
    lock = filelock.FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as taken:
        raise UsageError(_taken(folder)) from taken
    owner = folder / OWNER
    try:
        if _elsewhere(owner):
            raise UsageError(_taken(folder))
        me = {"host": socket.gethostname(), "process": os.getpid()}
        with suppress(OSError):  # on a full disk nobody is told who it is
            owner.write_text(json.dumps(me))
        try:
            yield _beat(owner)
        finally:
            owner.unlink(missing_ok=True)
    finally:
        (folder / LOCK).unlink(
            missing_ok=True
        )  # while it is held, so that nobody else's is taken away
        lock.release()


def _beat(owner: Path) -> Callable[[], None]:
    latest = time.monotonic()

    def sign_of_life() -> None:
        nonlocal latest
        if time.monotonic() - latest > _BEAT:
            latest = time.monotonic()
            with suppress(OSError):
                owner.touch()

    return sign_of_life


def _owner(owner: Path) -> dict[str, object]:
    try:
        known = json.loads(owner.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _elsewhere(owner: Path) -> bool:
    """Whether a process on another machine gave a sign of life not long ago."""
    known = _owner(owner)
    host = known.get("host")
    if not isinstance(host, str) or host == socket.gethostname():
        return False  # on this machine whoever has the lock is the only one
    return time.time() - owner.stat().st_mtime < _STALE


def _taken(folder: Path) -> str:
    known = _owner(folder / OWNER)
    told = {"process", "host"} <= known.keys()
    who = f"process {known['process']} on {known['host']}" if told else "another process"
    return f"{folder} is being trained by {who}: wait until it ends, or stop it first"
