"""What it costs to monitor a training: probes, alarms and what is logged for them.

Two trainings of each model with the same weights go on in one process, in turns of 100 rounds, one of them
monitored, which is one probe a turn (a diffusion model in turns of 400); the ratio is taken turn by turn.  A cost of
0.02 is 2% of the training.  A row that is there is kept.
MNIST must be in $PLAUSIBLE_DATA; without it its rows are left out.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import kept, parser, record

import plausible
from plausible.core.errors import UsageError
from plausible.diagnosis import Monitor
from plausible.tasks.fit_steps import fit_steps
from plausible.training import Step

_BINARY = plausible.Options(binarise="dynamic")
_GREY = plausible.Options()
CASES: list[tuple[str, Any, plausible.Options]] = [
    ("ring", plausible.GAN, _GREY),
    ("digits", plausible.GAN, _GREY),
    ("mnist", plausible.GAN, _GREY),
    ("digits", plausible.VAE, _GREY),
    ("mnist", plausible.VAE, _BINARY),
    ("digits", plausible.RBM, _BINARY),
    ("mnist", plausible.RBM, _BINARY),
    ("digits", plausible.GSN, _GREY),
    ("digits", plausible.PixelCNN, _BINARY),
    ("digits", plausible.ConvNet, _GREY),
    ("digits", plausible.Diffusion, _GREY),
]


def steps(kind: Any, data: plausible.Data, folder: Path, monitored: bool) -> Iterator[Step]:
    """A training that is logged and saved as the command line does it."""
    torch.manual_seed(0)
    training = plausible.train(kind(data.space), data, plausible.Settings(steps=10**6))
    run = plausible.create(folder / str(monitored), training)
    return fit_steps(run, training, Monitor(training) if monitored else None)


def main() -> None:
    flags = parser(__doc__).parse_args()
    cases, turns = (CASES[:1], 2) if flags.quick else (CASES, 11)
    rows = [] if flags.quick else kept(__file__, quick=False)
    for where, kind, options in cases:
        if any((row["model"], row["data"]) == (kind.name, where) for row in rows):
            continue
        try:
            data = plausible.load(where, options)
        except UsageError as refusal:
            print(refusal)
            continue
        with tempfile.TemporaryDirectory() as folder:
            sides = {on: steps(kind, data, Path(folder), on) for on in (False, True)}
            ratios, alone = [], []
            for turn in range(turns + 1):
                took = {}
                for on in sorted(sides, reverse=bool(turn % 2)):
                    start = time.perf_counter()
                    for _ in range(kind.probe_every):
                        next(sides[on])
                    took[on] = time.perf_counter() - start
                if turn:  # the first turn warms up, and probes more often
                    ratios.append(took[True] / took[False])
                    alone.append(took[False] / kind.probe_every * 1e3)
        rows.append(
            {
                "model": kind.name,
                "data": where,
                "ms a round, not watched": statistics.median(alone),
                "cost of watching": statistics.median(ratios) - 1,
                "least": min(ratios) - 1,
                "most": max(ratios) - 1,
            }
        )
        print(rows[-1], flush=True)
    record(__file__, rows, seed=flags.seed, quick=flags.quick)


if __name__ == "__main__":
    main()
