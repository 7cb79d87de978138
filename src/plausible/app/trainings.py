"""Trainings as processes of their own: begun here, they live on when the page or the app is closed.

What a training prints goes to ``.app/NAME.txt`` beside the runs, and ``.app/NAME.pid`` has the number of its process,
which holds a lock on that file as long as it lives: so the app of tomorrow knows it, too, and never another process
that was given the same number.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from plausible.core.errors import UsageError

try:
    import fcntl
except ImportError:  # not on Windows, where a process has no such lock
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SAID = 4000  # letters of what a training printed that are shown


class Trainings:
    """The trainings whose runs lie in one folder."""

    def __init__(self, folder: Path, most: int):
        self.folder, self._most = folder, most
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._one_by_one = threading.Lock()

    def start(self, name: str, family: str, flags: Sequence[str]) -> list[str]:
        """Begin ``plausible train`` into the folder of this name; what was started, as words of a command line.

        UsageError: a name that cannot be that of a folder, or is taken, or too many trainings at once.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot name a run: use letters, digits, points, dashes and underscores"
            )
        place = self.folder / name
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise UsageError(f"{place} exists, and a run is never overwritten: choose another name")
        return self._begin(name, ["train", family, *flags, "--out", str(place)])

    def resume(self, name: str, flags: Sequence[str] = ()) -> list[str]:
        """Go on with the run of this name, by ``plausible resume``."""
        if not (self.folder / name / "state.pt").exists():
            raise UsageError(
                f"{self.folder / name} holds no state.pt: there is nothing to go on with"
            )
        return self._begin(name, ["resume", str(self.folder / name), *flags])

    def stop(self, name: str) -> None:
        """What Ctrl-C does: the training saves, and ends; UsageError where it was not started here."""
        if not self.alive(name):
            raise UsageError(f"no training of {name} that was started here is going on")
        if fcntl is None:
            raise UsageError(
                "on Windows a training cannot be stopped from the page: end its process"
            )
        # not SIGINT, which whoever is started in the background of a script ignores
        os.kill(int(self._lock(name).read_text()), signal.SIGTERM)

    def alive(self, name: str) -> bool:
        """Whether the process that this app, or one before it, started for this run is going on."""
        child = self._children.get(name)
        if child is not None and child.poll() is not None:
            del self._children[name]
        if not self._lock(name).exists() or fcntl is None:
            return name in self._children
        with self._lock(name).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def going_on(self) -> list[str]:
        """The names of the runs that are being trained."""
        names = (path.relative_to(self._kept).with_suffix("") for path in self._locks())
        return sorted(str(name) for name in names if self.alive(str(name)))

    def said(self, name: str) -> str:
        """The end of what the training printed; empty where it was not started here."""
        path = self._kept / f"{name}.txt"
        text = path.read_text(errors="replace") if path.exists() else ""
        return text if len(text) <= _SAID else f"...\n{text[-_SAID:].partition(chr(10))[2]}"

    @property
    def _kept(self) -> Path:
        return self.folder / ".app"

    def _lock(self, name: str) -> Path:
        return self._kept / f"{name}.pid"

    def _locks(self) -> list[Path]:
        return list(self._kept.rglob("*.pid"))

    def _begin(self, name: str, words: list[str]) -> list[str]:
        with self._one_by_one:  # or two at once would both be the last that is allowed
            self._refuse(name)
            self._children[name] = self._process(name, words)
        return ["plausible", *words]

    def _refuse(self, name: str) -> None:
        if self.alive(name):
            raise UsageError(f"{name} is being trained already: stop it first")
        busy = self.going_on()
        if len(busy) >= self._most:
            raise UsageError(
                f"{' and '.join(busy)} {'are' if len(busy) > 1 else 'is'} being trained, and --max-trainings "
                f"allows {self._most}: wait, or stop one"
            )

    def _process(self, name: str, words: list[str]) -> "subprocess.Popen[bytes]":
        """A process in a session of its own, which no Ctrl-C for the app reaches, and which holds its lock."""
        self._lock(name).parent.mkdir(parents=True, exist_ok=True)
        with (
            (self._kept / f"{name}.txt").open("wb") as said,
            self._lock(name).open("w") as lock,
        ):
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            child = subprocess.Popen(
                [sys.executable, "-m", "plausible", *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(lock.fileno(),) if fcntl is not None else (),
            )
            lock.write(str(child.pid))
        return child


def command(words: Sequence[str]) -> str:
    """The words as one types them."""
    return shlex.join(words)
