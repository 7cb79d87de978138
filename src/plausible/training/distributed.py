"""The ranks of one training: who I am among them, and the few things they do together."""

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from plausible.core.errors import UsageError

SILENCE = 300.0
"""Seconds after which a process that does not answer is taken for dead."""
ALONE = 4
"""The exit code of a process that has lost the others."""
LOST = 3
"""The exit code of a job that has lost a process: its run holds the last save."""
SAVED = "its run holds the last save, and plausible resume goes on from it"
"""What is there when a process of a training has gone."""
LAUNCHER = "PLAUSIBLE_LAUNCHER"
WITHOUT = "another process of this job is gone, or silent for too long: of a training, the run holds the last save"
"""What is said by a process that has lost the others, where nobody else can say more."""
WAITED_FOR = "PLAUSIBLE_WAITED_FOR"
"""Set where a process is to say, in the store under this name, that it is about to join."""
_OTHER_STORE = "TORCHELASTIC_USE_AGENT_STORE"  # torch's name for: who launched the ranks keeps it
_GRACE = 60.0  # seconds that a process has to save when its launcher is gone
_ASKING = 2.0  # seconds to ask whether another process has spoken
_CONTACT = re.compile(r"gloo|NCCL|Connection (closed|reset)|Timed out waiting|Broken pipe")


@dataclass(frozen=True)
class World:
    """Rank r of ``size`` processes that train one model on equal shards of every batch.

    A single process is a world of one, where everything below is free of cost.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this rank prints, saves and measures."""
        return self.rank == 0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace every tensor by its mean over ranks, in place: one flat all-reduce.

        Shards are equal, so the mean of the ranks' means is the mean over the whole batch.
        """
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1).float() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.size
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()

    def agree(self, value: float) -> float:
        """Rank 0's value, everywhere."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=_device())
        dist.broadcast(shared, src=0)
        return shared.item()

    def add_up(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over ranks, in place."""
        if self.size > 1:
            dist.all_reduce(tensor)

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """The tensors of all ranks, of one shape, in rank order."""
        if self.size == 1:
            return [tensor]
        there = tensor.to(_device())
        parts = [torch.empty_like(there) for _ in range(self.size)]
        dist.all_gather(parts, there)
        return [part.cpu() for part in parts]

    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite every tensor with rank 0's, so that all ranks start from the same weights."""
        if self.size > 1:
            with torch.no_grad():
                for tensor in tensors:
                    dist.broadcast(tensor, src=0)


def join(device: torch.device) -> World:
    """The world this process was launched into: torchrun's, or a world of one.

    NCCL between GPUs (one a rank), gloo between CPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return World()
    if not dist.is_initialized():
        _end_with_launcher()
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        _meet("nccl" if device.type == "cuda" else "gloo")
    world = World(dist.get_rank(), dist.get_world_size())
    need_the_same(world, version("plausible"), "runs another version of plausible", "install one")
    return world


def _meet(backend: str) -> None:
    """Find the others, where the environment says; UsageError where they are not."""
    _check_port()
    if WAITED_FOR in os.environ:
        _met_at(SILENCE).add(WAITED_FOR, 1)
    try:
        dist.init_process_group(backend, timeout=timedelta(seconds=SILENCE))
    except RuntimeError as error:
        if not lost_contact(error):
            raise
        host, port = (os.environ.get(name, "?") for name in ("MASTER_ADDR", "MASTER_PORT"))
        raise UsageError(
            f"process {os.environ.get('RANK')} has not met all {os.environ.get('WORLD_SIZE')} of its job at {host}:{port} "
            f"within {SILENCE / 60:.0f} minutes: see whether the first machine is there, and lets others in at this port"
        ) from error


def _check_port() -> None:
    """UsageError: another program listens where the first process is to let the others in, who would wait for it for ever."""
    port = os.environ.get("MASTER_PORT", "")
    if not leads() or _OTHER_STORE in os.environ or not port.isdecimal():
        return
    try:
        socket.create_server(("", int(port))).close()
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"processes cannot meet at port {port} of this machine: {getattr(error, 'strerror', None) or error}: choose another"
        ) from error


def _met_at(patience: float) -> dist.TCPStore:
    """Where the processes of this job meet."""
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return dist.TCPStore(host, port, is_master=False, timeout=timedelta(seconds=patience))


def first_to_speak() -> bool:
    """Whether no other process of this job has said yet why it ends: of several that refuse the same, one speaks.

    Where nobody can be asked, the first process of each machine speaks.
    """
    said: list[bool] = []

    def ask() -> None:
        with suppress(KeyError, ValueError, RuntimeError):
            said.append(_met_at(_ASKING).add(f"plausible/said/{restarts()}", 1) == 1)

    if os.environ.get("WORLD_SIZE", "1") != "1":
        asking = threading.Thread(target=ask, daemon=True)  # another program there may be silent
        asking.start()
        asking.join(2 * _ASKING)
    return said[0] if said else os.environ.get("LOCAL_RANK", "0") == "0"


def need_the_same(world: World, value: str, differs: str, remedy: str) -> None:
    """UsageError in every process where one of them has another value than the first.

    differs  what is then said of that process, and ``remedy`` what to do on all machines.
    """
    digest = hashlib.sha256(value.encode()).digest()
    found = world.gather(torch.tensor(list(digest), dtype=torch.uint8))
    other = [k for k, each in enumerate(found) if not torch.equal(each, found[0])]
    if other:
        leave()
        raise UsageError(
            f"process {other[0]} of {len(found)} {differs} than process 0: {remedy} on all machines"
        )


def launched() -> bool:
    """Whether this process is one rank of a world that ``launch`` or torchrun started."""
    return "RANK" in os.environ


def leads() -> bool:
    """Whether this process is the first of its world, asked before it has joined it."""
    return os.environ.get("RANK", "0") == "0"


def restarts() -> int | None:
    """How often torchrun has started this job anew; None where torchrun did not start it."""
    count = os.environ.get("TORCHELASTIC_RESTART_COUNT")
    return None if count is None else int(count)


def program() -> list[str]:
    """What runs: the file that was started, which may hold models of its own, or else plausible."""
    started = Path(sys.argv[0])
    if getattr(sys.modules["__main__"], "__spec__", None) is None and started.suffix == ".py":
        return [sys.executable, str(started)]
    return [sys.executable, "-m", "plausible"]


def launch(processes: int, args: Sequence[str], left: str = SAVED) -> int:
    """Run this program with ARGS as so many ranks on this machine; their exit code.

    left  what is there when a rank has gone without a word, for the sentence that says so.

    The ranks find each other by the environment variables that torchrun sets, so torchrun can start
    them on several machines in the same way.  Ctrl-C and SIGTERM are passed on once, so that rank 0
    saves; when a rank fails the others are ended, and when this process is gone they save and end themselves.
    """
    # Kept here, it outlives each of them, and its port is free because it has it.
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    world = {**os.environ, **place(store, processes), LAUNCHER: str(os.getpid())}
    ranks = [
        subprocess.Popen(
            [*program(), *args],
            env={**world, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            start_new_session=True,  # a Ctrl-C in the terminal must reach them through us, once
        )
        for rank in range(processes)
    ]

    def pass_on(number: int, frame: object) -> None:
        for rank in ranks:
            rank.send_signal(signal.SIGTERM)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), pass_on)
    failed: list[int] = []
    while any(rank.poll() is None for rank in ranks):
        if not failed:
            failed = [k for k, rank in enumerate(ranks) if rank.returncode not in (None, 0, 130)]
        if failed:
            time.sleep(1)  # the others may be about to end by themselves, with a sentence
            ended = [rank.poll() for rank in ranks]
            for rank in ranks:
                rank.kill()
            return _ended(ended, failed, left)
        time.sleep(0.05)
    return _ended([rank.returncode for rank in ranks], failed, left)


def place(store: dist.TCPStore, processes: int) -> dict[str, str]:
    """The environment in which so many processes of this machine meet at a store, each with its share of the threads."""
    return {
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS")
        or str(max(1, (os.cpu_count() or 1) // processes)),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(store.port),
        _OTHER_STORE: "True",
        "WORLD_SIZE": str(processes),
    }


def lost_contact(error: BaseException) -> bool:
    """Whether an error says that another process of the world is gone, or has been silent for too long."""
    return isinstance(error, RuntimeError) and (
        isinstance(error, getattr(dist, "DistError", ())) or bool(_CONTACT.search(str(error)))
    )


def _ended(codes: Sequence[int | None], failed: Sequence[int], left: str) -> int:
    """The exit code of a job, after a sentence where one of its processes is gone without one."""
    killed = [(k, -code) for k, code in enumerate(codes) if code is not None and code < 0]
    if killed:
        rank, number = killed[0]
        name = signal.Signals(number).name
        print(
            f"plausible: process {rank} of {len(codes)} was ended by {name}: {left}",
            file=sys.stderr,
        )
        return LOST
    own = [code for code in codes if code not in (None, 0, 130, ALONE)]
    if own:  # which has said why
        return own[0] or 0
    if ALONE in codes:
        silent = f"a process has not answered for {SILENCE / 60:.0f} minutes"
        print(f"plausible: {silent}: {left}", file=sys.stderr)
        return LOST
    return next((code for code in codes if code), 0)


def _end_with_launcher() -> None:
    """Let this process save and end when the one that launched it is gone, which it watches from now on."""
    launcher = int(os.environ.get(LAUNCHER, "0"))

    def watch() -> None:
        while os.getppid() == launcher:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)  # after which a training saves
        time.sleep(_GRACE)
        os._exit(LOST)

    if launcher:
        threading.Thread(target=watch, daemon=True).start()


def leave() -> None:
    """End the world, if this process is part of one; all ranks must call it, and leave together."""
    if dist.is_available() and dist.is_initialized():
        dist.barrier()  # a rank that goes while another still listens can take it down
        dist.destroy_process_group()


def _device() -> torch.device:
    nccl = dist.get_backend() == "nccl"
    return torch.device("cuda", torch.cuda.current_device()) if nccl else torch.device("cpu")
