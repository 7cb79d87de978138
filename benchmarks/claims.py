"""Whether every claim of ``plausible claims`` holds, seed by seed, and how long each takes.

held      of how many seeds every number with its interval lies where it must
failed    the seeds for which it does not
narrowest the least room, over all seeds, between an interval and its bound, as a share of the interval's distance from
          0 or of the bound, whichever is larger; below 0 it does not hold
seconds   median and longest, of one process with one thread beside another

Two processes of one thread each.  --logs FOLDER keeps what was found, and what is there is not run again.
"""

import math
import os
import time
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import torch
from benchmarks.record import once, parser, record

from plausible.claims import Measured, claims

_QUICK = ("maximum-likelihood", "nonsense")


def run(job: tuple[str, int], logs: Path | None) -> dict[str, Any]:
    """One claim with one seed, from its file if that is there."""
    name, seed = job
    return once(None if logs is None else logs / f"{name}-{seed}.json", partial(proved, job))


def proved(job: tuple[str, int]) -> dict[str, Any]:
    """Whether a claim holds with a seed, how narrowly, and the seconds it took."""
    name, seed = job
    torch.set_num_threads(1)
    began = time.perf_counter()
    found = claims[name](seed)
    return {
        "claim": name, "seed": seed, "holds": found.holds, "seconds": time.perf_counter() - began,
        "room": min(_room(number) for number in found.measured),
        "measured": {number.what: [number.value, number.low, number.high] for number in found.measured},
    }  # fmt: skip


def _room(number: Measured) -> float:
    """How far inside its bounds an interval lies; inf where there is no bound."""
    room = [math.inf]
    if number.least is not None:
        room.append((number.low - number.least) / max(abs(number.low), abs(number.least), 1e-12))
    if number.most is not None:
        room.append((number.most - number.high) / max(abs(number.high), abs(number.most), 1e-12))
    return min(room)


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--names", nargs="+", choices=list(claims), default=list(claims))
    flags.add_argument("--seeds", type=int, default=10, help="so many, from --seed on")
    flags.add_argument("--logs", type=Path, help="a folder that keeps what was found")
    asked = flags.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    names = _QUICK if asked.quick else asked.names
    seeds = range(asked.seed, asked.seed + (2 if asked.quick else asked.seeds))
    jobs = [(name, seed) for name in names for seed in seeds]
    found: list[dict[str, Any]] = []
    with get_context("spawn").Pool(2) as pool:
        for one in pool.imap_unordered(partial(run, logs=asked.logs), jobs):
            found.append(one)
            said = "holds" if one["holds"] else f"DOES NOT HOLD: {one['measured']}"
            print(one["claim"], one["seed"], said, f"{one['seconds']:.0f} s", flush=True)
    rows = []
    for name in names:
        some = [one for one in found if one["claim"] == name]
        failed = sorted(one["seed"] for one in some if not one["holds"])
        rows.append(
            {
                "claim": name,
                "seeds": len(some),
                "held": len(some) - len(failed),
                "failed": ", ".join(map(str, failed)),
                "narrowest": min(one["room"] for one in some),
                "seconds, median": median(one["seconds"] for one in some),
                "seconds, longest": max(one["seconds"] for one in some),
            }
        )
    record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
