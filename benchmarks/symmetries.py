"""Which mirrored, turned and shifted images can be told, and from how many images on: the test by which a GAN augments.

Each data set as it is, some with fewer images, and some with each image mirrored by a coin, of which mirrored ones
cannot be told.  A cell is what was found and how often the critic is right; the power is that to find a planted rule that is right about
70% of the pairs.  The seconds are those of one process on the CPU.
"""

import time
from dataclasses import replace
from typing import Any

import torch
from benchmarks.record import parser, record
from benchmarks.sets import FOLDERS, source

import plausible
from plausible.core.errors import UsageError
from plausible.data.part import Part
from plausible.data.symmetries import symmetries
from plausible.evaluation.symmetry import SymmetryTest, ask_symmetries

SETS = ("digits", "mnist", "fashion-mnist", "tiles", "signs")
FEWER = (100, 300, 1000)


def main() -> None:
    flags = parser(__doc__).parse_args()
    rows = []
    for name in SETS[:1] if flags.quick else SETS:
        try:
            train = plausible.load(source(name)).train
        except UsageError as reason:
            print(f"{name} is left out: {reason}")
            continue
        rows.append(row(name, train, flags.seed))
        if name in FOLDERS:
            generator = torch.Generator().manual_seed(flags.seed)
            coin = torch.rand(len(train), 1, 1, 1, generator=generator) < 0.5
            values = torch.where(coin, train.values.flip(3), train.values)
            mirrored = replace(train, values=values)
            rows.append(row(f"{name}, each mirrored by a coin", mirrored, flags.seed))
            for n in FEWER:
                few = mirrored.rows(torch.randperm(len(mirrored), generator=generator)[:n])
                rows.append(row(f"{name}, each mirrored by a coin", few, flags.seed))
    record(__file__, rows, seed=flags.seed, quick=flags.quick)


def row(name: str, train: Part, seed: int) -> dict[str, Any]:
    start = time.process_time()
    tests = {test.name: test for test in ask_symmetries(train, seed=seed)}
    seconds = time.process_time() - start
    asked = max(test.asked for test in tests.values())
    cells = {each: cell(tests.get(each)) for each in symmetries}
    power = {"power to mirror": tests["mirror"].power}
    return {
        "data": name,
        "images": len(train),
        "asked": asked,
        **cells,
        **power,
        "seconds": seconds,
    }


def cell(test: SymmetryTest | None) -> str:
    if test is None:
        return ""
    mark = "told" if test.told else "not told" if test.holds else "too few to know"
    return f"{mark}, {test.accuracy:.1%}"


if __name__ == "__main__":
    main()
