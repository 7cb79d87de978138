"""What several processes cost and survive: an all-reduce, and two agents of torchrun of which a process is killed.

The first rows say how long gloo takes to add up tensors of two processes on this machine.  The last ones say what came of a
training whose two processes were started by two agents of torchrun (rendezvous c10d on this machine) after one of them
was killed: the agents start both anew, and the training goes on from its last save by itself.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.distributed as dist
from benchmarks.record import parser, record

SIZES = (1e4, 1e5, 1e6, 1e7)  # numbers that are added up
TIMES = 20
PATIENCE = 540.0  # seconds until a job must have ended


def reduced(sizes: list[int], file: Path) -> None:
    """As one of two ranks: how long each size takes, in milliseconds, by rank 0 to a file."""
    dist.init_process_group("gloo")
    found = []
    for size in sizes:
        tensor = torch.ones(size)
        dist.all_reduce(tensor)
        times = []
        for _ in range(TIMES):
            dist.barrier()
            start = time.perf_counter()
            dist.all_reduce(tensor)
            times.append((time.perf_counter() - start) * 1e3)
        found.append(sorted(times)[TIMES // 2])
    if dist.get_rank() == 0:
        file.write_text(json.dumps(found))
    dist.destroy_process_group()


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def all_reduce_rows(quick: bool) -> list[dict[str, object]]:
    """A row for each size."""
    sizes = [int(size) for size in SIZES[: 3 if quick else None]]
    with tempfile.TemporaryDirectory() as name:
        file, port = Path(name) / "times.json", str(free_port())
        world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
        command = [sys.executable, "-m", "benchmarks.processes", "--reduce", str(file), *map(str, sizes)]  # fmt: skip
        ranks = [
            subprocess.Popen(command, env={**os.environ, **world, "RANK": str(rank)})
            for rank in range(2)
        ]
        assert [rank.wait() for rank in ranks] == [0, 0]
        times = json.loads(file.read_text())
    return [
        {"what": f"all_reduce of {size:,} numbers", "ms": ms, "MB/s": size * 4 / ms / 1e3}
        for size, ms in zip(sizes, times, strict=True)
    ]


def agents(folder: Path, steps: int) -> list[subprocess.Popen[bytes]]:
    """Two agents of torchrun on this machine, each with one process of one training."""
    train = ["train", "rbm", "--data", "digits", "--binarise", "threshold", "--steps", str(steps)]
    quiet = ["--out", str(folder), "--no-evaluate", "--no-watch"]
    launcher = [
        "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1", "--max-restarts", "2",
        "--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{free_port()}", "--rdzv-id", "plausible",
        "-m", "plausible",
    ]  # fmt: skip
    return [subprocess.Popen([sys.executable, *launcher, *train, *quiet]) for _ in range(2)]


def worker_of(agent: int) -> int:
    """The process that an agent has started."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(words[1]) == agent and b"plausible\0train" in command:
            return int(path.parent.name)
    raise RuntimeError(f"agent {agent} has no process")


def killed_rows(quick: bool) -> list[dict[str, object]]:
    """What came of a job of which a process was killed."""
    steps = 3_000 if quick else 20_000
    with tempfile.TemporaryDirectory() as name:
        folder, start = Path(name) / "run", time.perf_counter()
        jobs = agents(folder, steps)
        try:
            while not (folder / "state.pt").exists():
                time.sleep(0.2)
                late = time.perf_counter() - start > PATIENCE
                assert not late, "nothing was saved in time"
                assert None in [job.poll() for job in jobs], "both agents ended, and saved nothing"
            os.kill(worker_of(jobs[1].pid), signal.SIGKILL)
            codes = [job.wait(PATIENCE) for job in jobs]
        finally:
            for job in jobs:
                job.kill()
        state = torch.load(folder / "state.pt", weights_only=True)
        return [
            {"what": "exit codes of the two agents", "answer": str(codes)},
            {"what": "rounds of the training that one process was killed in", "answer": str(state["steps"])},
            {"what": "rounds that were asked for", "answer": str(steps)},
            {"what": "processes at the end", "answer": str(len(state["random"]))},
        ]  # fmt: skip


def main() -> None:
    asked = parser(__doc__)
    asked.add_argument(
        "--reduce", nargs="+", help="what each of two ranks is started with: a file, and sizes"
    )
    flags = asked.parse_args()
    if flags.reduce:
        reduced([int(size) for size in flags.reduce[1:]], Path(flags.reduce[0]))
        return
    columns = ("what", "ms", "MB/s", "answer")
    found = [*all_reduce_rows(flags.quick), *killed_rows(flags.quick)]
    rows = [{name: row.get(name, "") for name in columns} for row in found]
    record(__file__, rows, seed=flags.seed, quick=flags.quick)


if __name__ == "__main__":
    main()
