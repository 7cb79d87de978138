"""What is left of a training when its processes are killed, its disk is full, its files are damaged, or two write at once?

A row for each kind of harm, each trial with small data and a small model:

tried     trials
survived  nothing was lost: what there was goes on, and ends with the weights of a training that nobody disturbed, bit for bit
lost      it cannot go on, although it was saved before
wrong     it goes on, and ends with other weights, or takes for whole what is not
crashed   an exception that is no sentence
hung      no end within five minutes

A process is killed by SIGKILL, SIGTERM, SIGINT or SIGHUP at a moment drawn from all that it has: each round, each flush to
the disk and each rename while it saves, and what comes after them.  A row goes on where an earlier call has left it, for --seconds
at most, and begins anew where something did not survive; --only PART OF A NAME asks some.
"""

import argparse
import os
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from benchmarks.endurance_trials import TRIALS, World, writes
from benchmarks.fuzz import scratch
from benchmarks.record import kept, parser, record

ENDS = ("survived", "lost", "wrong", "crashed", "hung")
COUNTS = {
    "killed while it trains": 80, "killed while it resumes": 20, "killed while it is judged": 8, "one of two processes killed": 6,
    "a file damaged": 1000, "a file that may not be read": 10, "disk full once": 0, "disk full from then on": 0,
    "two resume at once": 10, "two begin at once": 10, "judged while it trains": 10, "10,000 rounds": 1,
}  # fmt: skip
Row = dict[str, Any]


def row_of(kind: str, found: Counter[str], count: int, folder: Path, seconds: float) -> Row:
    """So many trials of a kind, those that were made before counted; fewer after so many seconds."""
    world, end = World(folder), time.time() + seconds
    for trial in range(found.total(), count or writes(world)):
        if time.time() > end:
            break
        said = TRIALS[kind](world, trial)
        found[said] += 1
        if said != "survived":
            print(f"  {kind}, trial {trial}: {said}", flush=True)
        for path in folder.glob("run-*"):
            shutil.rmtree(path, ignore_errors=True)
    return {"kind": kind, "tried": found.total(), **{end: found[end] for end in ENDS}}


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--seconds", type=float, default=1e9, help="for each row, at most")
    flags.add_argument("--only", default="", help="kinds whose names hold this")
    asked: argparse.Namespace = flags.parse_args()
    torch.set_num_threads(1)
    rows: list[Row] = [] if asked.quick else kept(__file__, quick=False)
    for kind, count in COUNTS.items():
        before = [row for row in rows if row["kind"] == kind]
        bad = any(row["tried"] != row["survived"] for row in before)  # which may be mended by now
        known = Counter({end: row[end] for row in before if not bad for end in ENDS})
        if asked.only not in kind or (count and known.total() >= count):
            continue
        if asked.quick:
            if kind in ("one of two processes killed", "killed while it is judged", "10,000 rounds"):  # fmt: skip
                continue
            count = 2
        began = time.time()
        with scratch() as folder:
            os.environ["PLAUSIBLE_CACHE"] = f"{folder}/cache"
            row = row_of(kind, known, count, Path(folder), asked.seconds)
        rows = [row, *(old for old in rows if old not in before)]
        rows.sort(key=lambda row: list(COUNTS).index(row["kind"]))
        print(f"{kind}: {time.time() - began:.0f} s", flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
