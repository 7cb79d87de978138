"""This process as the first of several, for one task: the others run a command of plausible beside it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO

import torch
import torch.distributed as dist

from plausible.core.errors import UsageError
from plausible.core.ranks import sharing
from plausible.training import distributed
from plausible.training.distributed import LAUNCHER, WAITED_FOR, lost_contact

_LOOK = 0.05  # seconds between two looks at whether all are there

_SILENT = "a process beside this one has ended without a word, and nothing was judged"


@contextmanager
def first_of(
    processes: int, words: Sequence[str], device: torch.device
) -> Iterator[Callable[[], None]]:
    """What can be shared while it lasts is, with processes that run ``plausible`` WORDS, of which there are one less.

    Yields f(), at which they end and this process goes on alone.  UsageError where one of them ends before, with what it
    said.
    """
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    place = distributed.place(store, processes)
    threads = torch.get_num_threads()
    with tempfile.TemporaryFile("w+") as said:
        others = [_other(rank, words, place, said) for rank in range(1, processes)]
        try:
            _wait(store, others)
            torch.set_num_threads(int(place["OMP_NUM_THREADS"]))  # for the same bits as the others
            with _as_first(place):
                world = distributed.join(device)
            with ExitStack() as shares:
                shares.enter_context(sharing(world))
                yield lambda: _go_on_alone(shares, threads)
        except RuntimeError as error:
            if not lost_contact(error):
                raise
            raise UsageError(_why(said)) from error
        finally:
            torch.set_num_threads(threads)
            for other in others:
                other.kill()
                other.wait()
            if dist.is_initialized():
                dist.destroy_process_group()


def _other(
    rank: int, words: Sequence[str], place: dict[str, str], said: IO[str]
) -> subprocess.Popen[bytes]:
    """A process that is to come."""
    own = {"RANK": str(rank), "LOCAL_RANK": str(rank), LAUNCHER: str(os.getpid()), WAITED_FOR: "1"}
    command = [sys.executable, "-m", "plausible", *words]
    return subprocess.Popen(command, env={**os.environ, **place, **own}, stdout=said, stderr=said)


def _wait(store: dist.TCPStore, others: Sequence[subprocess.Popen[bytes]]) -> None:
    """Until all others are about to join; where one has ended instead, the error of a connection that is lost."""
    while store.add(WAITED_FOR, 0) < len(others):
        if any(other.poll() is not None for other in others):
            raise RuntimeError("Connection closed")
        time.sleep(_LOOK)


@contextmanager
def _as_first(place: dict[str, str]) -> Iterator[None]:
    """The environment of the first process, for a while."""
    before = dict(os.environ)
    os.environ.update({**place, "RANK": "0", "LOCAL_RANK": "0"})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _go_on_alone(shares: ExitStack, threads: int) -> None:
    """Nothing is left to share."""
    shares.close()
    distributed.leave()
    torch.set_num_threads(threads)


def _why(said: IO[str]) -> str:
    """The sentence of a process that has ended, or that it has."""
    said.seek(0)
    sentences = [line for line in said.read().splitlines() if line.startswith("plausible: ")]
    return sentences[0].removeprefix("plausible: ") if sentences else _SILENT
