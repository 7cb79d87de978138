"""Updates and drawn images a second of the models that are compared at equal minutes, as the command line plays them.

To be run on idle cores, because experiments take minutes for so many updates (``experiments.diffusion_images``): what
else a machine does then changes how long they take, and not what is learned.  Each training plays --turns times from one
probe to the next, after some rounds to warm up; the median stands in the table.  Images are drawn by 16 evaluations of the network,
or by the one of a GAN.  A row that is there is kept.
"""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import gan_colour
from benchmarks.record import kept, parser, record
from experiments import diffusion_images
from experiments.equal_minutes import KINDS, Case, drawn

import plausible
from plausible.tasks.fit_steps import fit_steps, monitored
from plausible.tasks.start import start

_DRAWN = 256


def speeds(case: Case, folder: Path, turns: int, rounds: int | None) -> dict[str, float]:
    """The medians over turns; of so many rounds where that is said."""
    data = plausible.load(case.source, case.options)
    settings = plausible.Settings(steps=10**6, seed=case.seed)
    run, training = start(case.model, data, config=KINDS[case.kind], settings=settings, out=folder)
    steps = fit_steps(run, training, monitored(run, training))
    count = rounds or training.raw.probe_every
    for _ in range(count // 4):
        next(steps)
    took = []
    for _ in range(turns):
        began = time.perf_counter()
        for _ in range(count):
            next(steps)
        took.append(time.perf_counter() - began)
    model, asked = training.averaged, None if case.model == "gan" else 16
    drawing = []
    for _ in range(turns):
        began = time.perf_counter()
        drawn(model, asked, _DRAWN, 0)
        drawing.append(time.perf_counter() - began)
    return {
        "updates/s": count / statistics.median(took),
        "drawn/s": _DRAWN / statistics.median(drawing),
    }


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--turns", type=int, default=1)
    asked = flags.parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    every = [*diffusion_images.cases(8.0, 30.0), *gan_colour.cases(8.0, 30.0)]
    first = [case for case in every if case.seed == 0]
    for case in first[:1] if asked.quick else first:
        key = {"data": case.data, "size": case.size, "kind": case.kind}
        if any(key.items() <= row.items() for row in rows):
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = speeds(case, Path(folder) / "run", asked.turns, 2 if asked.quick else None)
        rows.append({**key, **found})
        print(rows[-1], flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
