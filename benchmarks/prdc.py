"""Precision, recall, density and coverage: plausible against the package prdc, time and memory.

Both get the same float64 Gaussians in 64 dimensions.  Each side runs in a fresh process, one after
the other, so that its peak memory is its own: the highest resident size less what was resident when
imports were done and the data lay ready.  prdc runs as published, with 8 threads of joblib.
"""

import contextlib
import importlib.util
import io
import multiprocessing
import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from benchmarks.record import parser, record

DIMS, K, TIMES = 64, 5, 3
SIDES = ("prdc", "plausible")


def resident() -> float:
    """The highest resident size of this process so far, MB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def side(name: str, n: int, seed: int) -> dict[str, Any]:
    """One side's numbers, in a process of its own."""
    import torch  # here, so that the process of prdc does not carry the other side's imports

    generator = torch.Generator().manual_seed(seed)
    real = torch.randn(n, DIMS, generator=generator, dtype=torch.float64)
    fake = torch.randn(n, DIMS, generator=generator, dtype=torch.float64) * 0.95
    if name == "prdc":
        from prdc import compute_prdc

        def call() -> dict[str, float]:
            with contextlib.redirect_stdout(io.StringIO()):
                found = compute_prdc(real.numpy(), fake.numpy(), nearest_k=K)
            return {key: float(value) for key, value in found.items()}
    else:
        from plausible.evaluation.metrics.neighbours import prdc

        def call() -> dict[str, float]:
            return prdc(real, fake, K)._asdict()

    before = resident()
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        values = call()
        seconds.append(time.perf_counter() - start)
    return {"seconds": statistics.median(seconds), "peak MB": resident() - before, **values}


def main() -> None:
    flags = parser(__doc__).parse_args()
    if importlib.util.find_spec("prdc") is None:
        print("this benchmark needs the package prdc: pip install prdc", file=sys.stderr)
        sys.exit(2)
    n = 2_000 if flags.quick else 10_000
    fresh = multiprocessing.get_context("spawn")
    found = {}
    for name in SIDES:
        # not a Pool: its workers are daemons, in which joblib would refuse prdc its threads
        with ProcessPoolExecutor(1, mp_context=fresh) as pool:
            found[name] = pool.submit(side, name, n, flags.seed).result()
    theirs, ours = (found[name] for name in SIDES)
    names = list(theirs)[2:]
    rows = [{"side": name, **found[name]} for name in SIDES]
    rows.append({"side": "ratio", **{key: ours[key] / theirs[key] for key in theirs}})
    largest = max(abs(ours[name] - theirs[name]) for name in names)
    notes = (
        f"{n} x {n} x {DIMS}, k = {K}, median of {TIMES}; plausible / prdc: "
        f"{ours['seconds'] / theirs['seconds']:.3f} of the time, "
        f"{ours['peak MB'] / theirs['peak MB']:.3f} of the memory; "
        f"largest difference {largest:.2g}"
    )
    record(__file__, rows, seed=flags.seed, quick=flags.quick, notes=notes)


if __name__ == "__main__":
    main()
