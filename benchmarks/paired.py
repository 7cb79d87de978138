"""Does a comparison of two generators find a difference where there is one, and only there?

In each repetition real data are split anew into T, H and what A and B draw, see ``referee_data``; n each.

same law      A and B are both real data: "called different" is the share of repetitions in which any defect is said to be
              worse in one of them, which must not be above 5%.  All critics are asked.
a defect      B has it, as large as the margin of the verdict, put there by the generator that stands beside its test;
              n is what a comparison of 200 real points a side has said to need for that margin; "found" is the share
              of repetitions in which A is said to be better in that very defect, which must be 0.9.  Critics, who own
              other defects, are not asked, and Holm's correction counts one test fewer for each of them.

Exact 95% intervals (Clopper and Pearson 1934).  A row that is there is kept.
"""

import time
import zlib
from dataclasses import replace

import scipy
import torch
from benchmarks.record import kept, parser, record
from benchmarks.referee_data import referee
from torch import Generator

from plausible.core.errors import UsageError
from plausible.data.part import Part
from plausible.data.split import merge_parts
from plausible.evaluation.paired import Answer, PairedResult, compare_defects
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.planting import sampled

SAME = "same law"
SETS = {SAME: ("digits", "table", "ring"), "planted": ("glyphs", "table", "ring")}
PLANTED = [name for name, one in defects.items() if one.plant is not None and one.aspect is None]
FEW = 200  # points a side of the comparison that says how many are needed, and of those of the same law
_MOST = 3000  # points a side that are drawn for a planted defect, at most
_MORE = 4  # times as many fresh points where some are left out


def compared(name: str, n: int, planted: str, seed: int, critics: bool) -> dict[str, PairedResult]:
    """{defect: what the comparison says of it} of A, real points, and B, real points with a defect."""
    generator = Generator().manual_seed(seed)
    torch.manual_seed(seed)
    judge = referee(name, FEW)
    more = 2 if planted == SAME else 1 + _MORE
    scene = judge.setting.split(n, more * n, generator)
    first, rest = scene.fresh.rows(slice(0, n)), scene.fresh.rows(slice(n, None))
    second: Part = rest
    if planted != SAME:
        one = defects[planted]
        real = scene.heldout if planted == "held-out copies" else rest
        made = one.plant(real, scene.train, one.margin, generator)
        second = sampled(made, rest.rows(slice(0, len(real))), generator)
    second = second.rows(slice(0, n))
    count = min(len(first), len(second))
    samples = merge_parts(*(replace(p.rows(slice(0, count)), y=None) for p in (first, second)))
    evalset = judge.evalset(scene, samples, seed)
    return {
        result.name: result
        for result in compare_defects(evalset, shown=judge.shown, critics=critics)
    }


def interval(count: int, of: int) -> tuple[float, float]:
    """The exact 95% interval of a share."""
    low = scipy.stats.beta.ppf(0.025, count, of - count + 1) if count else 0.0
    high = scipy.stats.beta.ppf(0.975, count + 1, of - count) if count < of else 1.0
    return float(low), float(high)


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--same", type=int, default=200, help="repetitions of one law")
    flags.add_argument("--planted", type=int, default=20, help="repetitions of each defect")
    flags.add_argument("--only", default="", help="rows that have this in their name")
    asked = flags.parse_args()
    torch.set_num_threads(1)
    same, repetitions = (2, 1) if asked.quick else (asked.same, asked.planted)
    rows = [] if asked.quick else kept(__file__, quick=False)
    todo = [(name, SAME) for name in SETS[SAME]]
    todo += [(name, defect) for name in SETS["planted"] for defect in PLANTED]
    if asked.quick:
        todo = [("ring", SAME), ("ring", "missing modes")]
    for name, planted in todo:
        if asked.only not in f"{name} {planted}":
            continue
        if any((row["data"], row["planted"]) == (name, planted) for row in rows):
            continue
        try:
            n = needed(name, planted, asked.seed)
        except UsageError as refusal:
            print(f"skipped: {refusal}")
            continue
        count, began = same if planted == SAME else repetitions, time.process_time()
        if n is None:
            print(
                f"{name}, {planted}: not defined, or more than {_MOST:,} points a side are needed"
            )
            continue
        found, sides = 0, {Answer.A, Answer.B}
        for k in range(count):
            seed = zlib.crc32(f"{asked.seed} {name} {planted} {k}".encode())
            results = compared(name, n, planted, seed, critics=planted == SAME)
            if planted == SAME:
                found += any(result.answer in sides for result in results.values())
            else:
                found += results[planted].answer is Answer.A
        low, high = interval(found, count)
        rows.append({
            "data": name, "planted": planted, "margin": None if planted == SAME else defects[planted].margin,
            "n": n, "repetitions": count, "found": found / count, "low": low, "high": high,
            "seconds each": (time.process_time() - began) / count,
        })  # fmt: skip
        print(rows[-1], flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


def needed(name: str, planted: str, seed: int) -> int | None:
    """How many points a side the program itself asks for; None where the defect is not defined, or they are too many."""
    if planted == SAME:
        referee(name, FEW)  # UsageError where the data are not here
        return FEW
    result = compared(name, FEW, SAME, seed, critics=False)[planted]
    if result.answer is Answer.UNDEFINED:
        return None
    n = result.needed or FEW
    return n if n <= _MOST else None


if __name__ == "__main__":
    main()
