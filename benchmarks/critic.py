"""What the critic sees at which n, and whether it ever accuses real data.

Each row takes real data three times over, disjoint parts drawn anew in each repetition: T (at most 3,000), H (n) and
samples (n), and plants a defect in the samples.  "significant" is p <= 0.05 of the critic alone; FAIL and PASS are what
the verdict says of 'anything else' if every other test has a larger p-value, so that Holm's correction is at its
strictest.  "none" is real data against real data, where FAIL is a false alarm.  Exact 95% intervals.  The bound is the
median over repetitions of the least total variation that was proven.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from benchmarks.record import parser, record
from benchmarks.verdict import interval
from torch import Tensor, nn

import plausible
from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.options import Options
from plausible.data.part import Part
from plausible.data.source import resolve_source
from plausible.data.split import merge_parts
from plausible.evaluation.critic.critic import make_critiques
from plausible.evaluation.critic.critique import Critique, detectable_variation
from plausible.evaluation.embedding import Embedding, fit_embedding
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.verdict import ALPHA, POWER

SIZES = {
    "10 Gaussians": (500, 1000, 2000), "iris": (45,), "wine": (55,), "digits": (500,), "signs": (600,),
    "tiles": (500, 1000), "fashion-mnist": (500, 1000, 2000), "mnist": (500, 1000, 2000),
}  # fmt: skip
MARGIN = defects["anything else"].margin


def mirrored(x: Tensor) -> Tensor:
    """Left and right exchanged."""
    return x.flip(3)


def checkered(x: Tensor) -> Tensor:
    """A checkerboard of 4 of 255 added."""
    rows, columns = torch.arange(x.shape[2])[:, None], torch.arange(x.shape[3])
    return (x + 4 / 255 * (2 * ((rows + columns) % 2) - 1)).clamp(0, 1)


def blurred(x: Tensor) -> Tensor:
    """Every pixel the mean of the 3 x 3 around it."""
    return nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


IMAGES: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "mirrored": mirrored,
    "30% mirrored": lambda x: torch.cat([mirrored(x[: 3 * len(x) // 10]), x[3 * len(x) // 10 :]]),
    "moved by a pixel": lambda x: x.roll(1, 3),
    "10% darker": lambda x: 0.9 * x,
    "checkerboard of 4 of 255": checkered,
    "blur of 3 pixels": blurred,
}
VECTORS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "spread x 0.85": lambda x: x.mean(0) + 0.85 * (x - x.mean(0)),
    "coordinates independent": lambda x: torch.stack(
        [column.roll(7 * k) for k, column in enumerate(x.T)], 1
    ),
}


@cache
def pool(name: str) -> Part:
    """Everything there is of a data set, without labels."""
    if name == "10 Gaussians":
        generator = torch.Generator().manual_seed(0)
        centres = 6 * nn.functional.normalize(torch.randn(10, 16, generator=generator), dim=1)
        y = torch.randint(10, (20_000,), generator=generator)
        return Part(centres[y] + torch.randn(20_000, 16, generator=generator), None, Space((16,)))
    if name in ("iris", "wine"):
        from sklearn import datasets

        x = torch.tensor(np.asarray(getattr(datasets, f"load_{name}")().data)).float()
        return Part(x, None, Space(tuple(x.shape[1:])))
    data = plausible.load(*_source(name))
    return replace(merge_parts(merge_parts(data.train, data.validation), data.heldout), y=None)


@cache
def embedding(name: str) -> Embedding:
    """One for all repetitions, fitted to a part of the pool."""
    return fit_embedding(pool(name).every_kth(1000), 1000)


def once(job: tuple[str, int, str, int]) -> Critique:
    """What the last critic says of one planted defect."""
    name, n, planted, seed = job
    torch.set_num_threads(1)
    part = pool(name)
    order = torch.randperm(len(part), generator=torch.Generator().manual_seed(seed))
    heldout, samples, train = order[:n], order[n : 2 * n], order[2 * n :][:3000]
    x = (IMAGES | VECTORS)[planted](part.batch(samples).x)
    changed = Part(part.space.codes(x) if part.space.levels else x, None, part.space)
    eyes = embedding(name)
    views = [eyes.embed(some) for some in (part.rows(train), part.rows(heldout), changed)]
    evalset = EvaluationSet(part.space, *views, eyes.names, False, eyes.extract, seed=seed)
    return make_critiques(evalset)[-1]


def row(name: str, n: int, planted: str, found: list[Critique]) -> dict[str, Any]:
    """One line of the table."""
    level = ALPHA / len(defects)
    failed = [one.p <= level and one.bound > MARGIN for one in found]
    enough = [detectable_variation(one.asked, level, POWER) <= MARGIN for one in found]
    passed = [
        ok and one.interval[1] <= MARGIN and not bad
        for one, ok, bad in zip(found, enough, failed, strict=True)
    ]
    return {
        "data": name,
        "n": n,
        "planted": planted,
        "repetitions": len(found),
        "significant": interval(sum(one.p <= ALPHA for one in found), len(found)),
        "FAIL": interval(sum(failed), len(found)),
        "PASS": interval(sum(passed), len(found)),
        "bound": float(np.median([one.bound for one in found])),
    }


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--workers", type=int, default=os.cpu_count())
    flags.add_argument("--settings", nargs="+", default=list(SIZES), choices=list(SIZES))
    flags.add_argument(
        "--repetitions", type=int, default=40, help="of real data; half as many of each defect"
    )
    flags = flags.parse_args()
    rows = []
    with get_context("spawn").Pool(1 if flags.quick else flags.workers) as workers:
        for name in ["iris", "digits"] if flags.quick else flags.settings:
            try:
                pool(name)
            except UsageError as refusal:
                print(f"skipped: {refusal}")
                continue
            planted = IMAGES if pool(name).space.is_image else VECTORS
            for n in SIZES[name]:
                for case in planted:
                    repeats = (
                        2 if flags.quick else flags.repetitions // (1 if case == "none" else 2)
                    )
                    jobs = [(name, n, case, flags.seed + k) for k in range(repeats)]
                    rows.append(row(name, n, case, workers.map(once, jobs)))
                    print(rows[-1], flush=True)
    record(__file__, rows, seed=flags.seed, quick=flags.quick)


def _source(name: str) -> tuple[Any, ...]:
    """What ``load`` is asked for: sets of people's own pictures lie beside MNIST."""
    if name not in ("signs", "tiles"):
        return (name,)
    folder = resolve_source("mnist").path.parent / name
    return str(folder), Options(size=32)


if __name__ == "__main__":
    main()
