"""A whole evaluation of 5,000 MNIST images against 5,000: seconds by stage, and peak memory.

The samples are the 5,000 images of the validation part, which neither the classifier nor the held-out
part knows.  The classifier is in the cache, as it is from the second evaluation on; a fresh process
then reads the data, looks at everything, takes every measure of samples and of real data, and rules.
"""

import multiprocessing
import os
import resource
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor

from benchmarks.record import parser, record


def once(name: str, n: int, seed: int) -> tuple[dict[str, float], str]:
    """({stage: seconds}, state of the verdict), and the last entry is the peak memory in MB."""
    start = time.perf_counter()
    import plausible

    stages: defaultdict[str, float] = defaultdict(float)
    now = ["imports", start]

    def tell(stage: str, share: float) -> None:
        mark = time.perf_counter()
        stages[str(now[0])] += mark - float(now[1])
        now[:] = [stage, mark]

    tell("reading the data", 0.0)
    data = plausible.load(name)
    found = plausible.evaluate(data.validation, data, n=n, seed=seed, progress=tell)
    tell("", 1.0)
    stages["total"] = time.perf_counter() - start
    stages["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    assert found.verdict is not None
    return dict(stages), str(found.verdict.state)


def main() -> None:
    flags = parser(__doc__).parse_args()
    import plausible

    name = "digits" if flags.quick else "mnist"
    try:
        plausible.reference_classifier(plausible.load(name))
    except plausible.UsageError as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(2)
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as pool:
        stages, state = pool.submit(once, name, 5000, flags.seed).result()
    rows = [{"stage": stage, "seconds": round(value, 2)} for stage, value in stages.items()]
    memory = rows.pop()["seconds"]
    rows.sort(key=lambda row: -float(row["seconds"]))
    notes = (
        f"{stages['total']:.1f} s and {memory:,.0f} MB at the peak, {os.cpu_count()} cores; "
        f"verdict on real data: {state}"
    )
    record(__file__, rows, seed=flags.seed, quick=flags.quick, notes=notes)


if __name__ == "__main__":
    main()
