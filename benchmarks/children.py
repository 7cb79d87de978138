"""Work in processes of their own, forked from this one, which knows torch by now: killed, short of disk, or left alone."""

import errno
import os
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from plausible.core.errors import NotDefined, UsageError
from plausible.runs import files
from plausible.runs.logger import RunLogger
from plausible.tasks.fit_steps import Failed

HUNG = 300.0  # seconds of wall-clock after which a process hangs, on a machine that does other things too
REFUSED, INTERRUPTED, CRASHED = 2, 130, 1
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Ended(NamedTuple):
    """How a process ended: its exit code, negative by a signal; None where it hung; and what it said."""

    code: int | None
    said: str

    @property
    def crashed(self) -> bool:
        """Whether an exception ended it that is no sentence."""
        return self.code == CRASHED


class Child:
    """Work in a process of its own.

    prepare  is called there first, to plant what goes wrong.
    """

    def __init__(self, work: Callable[[], object], prepare: Callable[[], object] = lambda: None):
        reading, writing = os.pipe()
        self._said, self.pid = reading, os.fork()
        if not self.pid:
            os.close(reading)
            _work(work, prepare, writing)
        os.close(writing)

    def end(self, seconds: float = HUNG) -> Ended:
        """Wait until it has ended; one that does not is killed."""
        deadline, status = time.monotonic() + seconds, None
        while status is None and time.monotonic() < deadline:
            pid, found = os.waitpid(self.pid, os.WNOHANG)
            status = found if pid else None
            if status is None:
                time.sleep(0.005)
        if status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        with os.fdopen(self._said, "rb") as file:
            said = file.read().decode(errors="replace")
        return Ended(None if status is None else os.waitstatus_to_exitcode(status), said)


def _work(work: Callable[[], object], prepare: Callable[[], object], writing: int) -> None:
    code, said = 0, ""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        saved_each_round()
        prepare()
        work()
    except (UsageError, NotDefined, Failed) as refusal:
        code, said = REFUSED, str(refusal)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:  # which the command line says in one sentence, with the file
        code, said = (REFUSED, str(error)) if error.strerror else (CRASHED, traceback.format_exc())
    except BaseException:
        code, said = CRASHED, traceback.format_exc()
    with suppress(OSError):
        os.write(writing, said[-4000:].encode(errors="replace"))
    os._exit(code)


def saved_each_round() -> None:
    """Every round is saved, and no picture drawn, which takes longer than everything else."""
    steps = import_module("plausible.tasks.fit_steps")
    for name, value in (("_SAVE_EVERY", 0.0), ("_SAVE_SHARE", 0)):
        setattr(steps, name, value)
    import_module("plausible.tasks.fit").TrainingPictures = lambda *_: None


class Moments:
    """Counts the moments at which a process may be ended: a round, a flush to the disk, a rename, and after each of both."""

    def __init__(self, at: int, act: Callable[[], object]):
        self.count, self._at, self._act = 0, at, act

    def __call__(self) -> None:
        """One moment more; the one that was asked for acts."""
        self.count += 1
        if self.count == self._at:
            self._act()

    def plant(self) -> None:
        """From now on moments are counted in this process."""
        observe, fsync, replace = RunLogger.observe, os.fsync, os.replace

        def observed(logger: RunLogger, step: Any) -> None:
            self()
            observe(logger, step)

        def around(function: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*args: Any) -> Any:
                self()
                found = function(*args)
                self()
                return found

            return counted

        RunLogger.observe = observed
        os.fsync, os.replace = around(fsync), around(replace)


def killed(random: Random, moments: int, number: int) -> Callable[[], None]:
    """What plants a signal at one of so many moments."""
    at = random.randint(1, moments)
    return lambda: Moments(at, lambda: os.kill(os.getpid(), number)).plant()


class Disk:
    """A disk that is full at the k-th thing that is done with a file, or from there on."""

    def __init__(self, at: int, lasting: bool):
        self.count, self._at, self._lasting = 0, at, lasting

    def __call__(self, name: object = None) -> None:
        """One thing more; OSError where there is no room for it."""
        self.count += 1
        if self.count == self._at or (self._lasting and self.count > self._at > 0):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), None if name is None else str(name))  # fmt: skip

    def plant(self) -> None:
        """From now on files are written to this disk in this process."""
        fsync, replace, mkdir, disk = os.fsync, os.replace, Path.mkdir, self

        def synced(descriptor: int) -> None:
            disk()
            fsync(descriptor)

        def replaced(one: Any, two: Any) -> None:
            disk(two)
            replace(one, two)

        def opened(name: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
            if "r" not in mode:
                disk(name)
            return _Full(open(name, mode, *rest, **more), disk)

        def made(path: Path, *args: Any, **more: Any) -> None:
            disk(path)
            mkdir(path, *args, **more)

        os.fsync, os.replace, Path.mkdir = synced, replaced, made
        for module in (files, import_module("plausible.runs.logger")):
            module.open = opened


class _Full:
    """A file on such a disk."""

    def __init__(self, file: Any, disk: Disk):
        self._file, self._disk = file, disk

    def write(self, content: Any) -> int:
        self._disk(self._file.name)
        return int(self._file.write(content))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_Full":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
