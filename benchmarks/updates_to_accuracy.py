"""Do critics need fewer updates where samples are worse?  Ladders of known order, at each size of image.

Each ladder begins with real data against real data and goes from nearly right to plainly wrong: shares of bad samples among
real ones, blur and noise of known size, and a GAN's training from its end to its beginning.  A row has the updates of each
rung, ≥ where the budget was not enough; Spearman's correlation with the rung (-1 is perfect; of first rungs that are
alike, all beyond the budget, the last alone counts); the share of neighbouring rungs that are in order, equal ones included;
and the largest rise from a rung to the next, worse one (1 where there is none).  One more ladder changes nothing but the
number of samples.  A ladder that is in the results is not run again.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import FOLDERS, source
from scipy import stats
from torch import Generator, Tensor
from torch.nn.functional import conv2d, pad

import plausible
from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.options import Options
from plausible.data.part import Data, Part
from plausible.data.split import merge_parts
from plausible.evaluation.critic import updates_to_accuracy
from plausible.evaluation.critic.effort import Effort
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet

SETS = ("signs", "tiles", "fashion-mnist", "glyphs")
TRAINED = ("digits", "glyphs")
SHARES = (0.6, 0.8, 1.0)
ROUNDS = (1600, 800, 400, 200, 100, 50)
MOST = 4000  # samples, and training examples
HELD = 1000
NUMBERS = "number of samples, of which 80% have a blur of one pixel"
COUNTS = (250, 500, 1000, 2000, 4000)

Change = Callable[[Tensor, float, Generator], Tensor]


def blurred(x: Tensor, sigma: float, generator: Generator) -> Tensor:
    """By a Gaussian of so many pixels: (n, C, H, W)."""
    reach, channels = math.ceil(3 * sigma), x.shape[1]
    weights = torch.exp(-torch.arange(-reach, reach + 1.0).square() / (2 * sigma**2))
    weights = (weights / weights.sum()).repeat(channels, 1, 1, 1)  # (C, 1, 1, k)
    x = conv2d(pad(x, (reach, reach, 0, 0), mode="replicate"), weights, groups=channels)
    x = pad(x, (0, 0, reach, reach), mode="replicate")
    return conv2d(x, weights.transpose(2, 3), groups=channels)


def noisy(x: Tensor, sigma: float, generator: Generator) -> Tensor:
    """With noise of this deviation."""
    return x + sigma * torch.randn(x.shape, generator=generator)


def halves_exchanged(x: Tensor, strength: float, generator: Generator) -> Tensor:
    """Left and right, above and below: every part is real, and the whole is not."""
    return x.roll((x.shape[2] // 2, x.shape[3] // 2), (2, 3))


def mixed(bad: Change, strength: float = 1.0) -> Change:
    """A share of bad samples among real ones."""

    def change(x: Tensor, share: float, generator: Generator) -> Tensor:
        count = round(share * len(x))
        return torch.cat([bad(x[:count], strength, generator), x[count:]])

    return change


LADDERS: dict[str, tuple[Change, tuple[float, ...]]] = {
    "share with halves exchanged": (mixed(halves_exchanged), SHARES),
    "share with a blur of one pixel": (mixed(blurred), SHARES),
    "blur, pixels": (blurred, (0.3, 0.5, 1.0, 2.0)),
    "noise": (noisy, (0.02, 0.05, 0.1, 0.2)),
}


@cache
def data_of(name: str) -> Data:
    """A data set as ``plausible`` loads it; sets of people's own pictures lie beside MNIST."""
    return plausible.load(source(name), Options(size=32) if name in FOLDERS else Options())


@cache
def parts_of(name: str) -> tuple[Part, Part, Part]:
    """T, H and fresh real points, disjoint."""
    data = data_of(name)
    pool = merge_parts(merge_parts(data.train, data.validation), data.heldout)
    rows = torch.randperm(len(pool), generator=Generator().manual_seed(0))
    held = min(HELD, len(pool) // 8)
    half = min(MOST, (len(pool) - held) // 2)
    taken = rows[:held], rows[held:][:half], rows[held + half :][:half]
    heldout, train, fresh = (pool.rows(some) for some in taken)
    return train, heldout, fresh


def efforts(train: Part, heldout: Part, samples: Part, seed: int) -> tuple[Effort, ...]:
    """What critics need, without any features."""

    def embedded(part: Part) -> Embedded:
        nothing = torch.zeros(len(part), 1)
        return Embedded(part, nothing, nothing, nothing[:, 0].long())

    views = map(embedded, (train, heldout, samples))
    evalset = EvaluationSet(train.space, *views, ("all",), False, lambda x: x, seed=seed)
    return updates_to_accuracy.make_efforts(evalset)


@cache
def of_real(name: str, seed: int) -> tuple[Effort, ...]:
    """Real data against real data."""
    return efforts(*parts_of(name), seed)


def planted(name: str, change: Change, strength: float, seed: int) -> tuple[Effort, ...]:
    train, heldout, fresh = parts_of(name)
    x = change(fresh.batch(slice(None)).x, strength, Generator().manual_seed(seed))
    return efforts(train, heldout, points(x, train.space), seed)


def fewer(name: str, count: int, seed: int) -> tuple[Effort, ...]:
    """So many samples, of which 80% have a blur of one pixel, anywhere among them."""
    train, heldout, fresh = parts_of(name)
    generator = Generator().manual_seed(seed)
    x = mixed(blurred)(fresh.batch(slice(None)).x, 0.8, generator)
    x = x[torch.randperm(len(x), generator=generator)[:count]]
    return efforts(train, heldout, points(x, train.space), seed)


def points(x: Tensor, space: Space) -> Part:
    return Part(space.codes(x), None, space)


def trained(name: str, rounds: tuple[int, ...], seed: int) -> list[tuple[Effort, ...]]:
    """The samples of a small GAN after so many rounds, the last first."""
    data = data_of(name)
    data = replace(data, train=data.train.rows(slice(0, 2 * MOST)))
    torch.manual_seed(seed)
    model = plausible.GAN(data.space, plausible.GAN.Config(width=16))
    training = plausible.train(model, data, plausible.Settings(steps=max(rounds), seed=seed))
    found = []
    for step in training:
        if step.clock.step + 1 in rounds:
            count = min(MOST, len(data.train))
            x = training.averaged.sample(count, generator=Generator().manual_seed(seed)).x
            samples = points(x, data.space)
            heldout = data.heldout.rows(slice(0, HELD))
            found.append(efforts(data.train.rows(slice(0, MOST)), heldout, samples, seed))
            print(f"{name}, round {step.clock.step + 1}", flush=True)
    return found[::-1]


def rows_of(data: str, ladder: str, rungs: list[str], found: list[tuple[Effort, ...]]) -> Any:
    """A row for each size."""
    for of_size in zip(*found, strict=True):
        told = [f"{effort.kind.sign.strip('≈')}{effort.updates:.0f}" for effort in of_size]
        yield {
            "data": data,
            "ladder": ladder,
            "side": of_size[0].side or "full",
            "rungs": ", ".join(rungs),
            "updates": ", ".join(told),
        }


def with_order(row: dict[str, Any]) -> dict[str, Any]:
    """How well the updates, as they are shown, follow the rungs."""
    values = [float(told.strip("≥")) for told in row["updates"].split(", ")]
    first = next((i for i, value in enumerate(values) if value != values[0]), len(values)) - 1
    told_apart, steps = values[first:], list(pairwise(values))
    correlation = (
        "" if len(told_apart) < 2 else stats.spearmanr(range(len(told_apart)), told_apart)[0]
    )
    return row | {
        "Spearman": correlation and float(correlation),
        "in order": sum(b <= a for a, b in steps) / len(steps),
        "largest rise": max(1.0, *(b / a for a, b in steps)),
    }


def jobs(quick: bool, seed: int) -> Iterator[tuple[str, str, list[str], Callable[[], Any]]]:
    """(data, ladder, rungs, what makes their efforts)."""
    for name in ("digits",) if quick else SETS:
        for ladder, (change, strengths) in LADDERS.items():
            yield name, ladder, ["real", *map(str, strengths)], lambda n=name, c=change, s=strengths: [
                of_real(n, seed), *(planted(n, c, strength, seed) for strength in s)
            ]  # fmt: skip
    name = "digits" if quick else "fashion-mnist"
    yield name, NUMBERS, [*map(str, COUNTS)], lambda n=name: [fewer(n, c, seed) for c in COUNTS]  # fmt: skip
    for name in ("digits",) if quick else TRAINED:
        rounds = (20, 10) if quick else ROUNDS
        yield name, "rounds of training", [*map(str, rounds)], lambda n=name, r=rounds: trained(n, r, seed)  # fmt: skip


def main() -> None:
    flags = parser(__doc__).parse_args()
    if flags.quick:
        updates_to_accuracy.BUDGET = 20
    rows = [] if flags.quick else kept(__file__, quick=False)
    rows = [row for row in rows if row["data"] in (*SETS, *TRAINED)]
    for name, ladder, rungs, make in jobs(flags.quick, flags.seed):
        if any((row["data"], row["ladder"]) == (name, ladder) for row in rows):
            continue
        try:
            rows += rows_of(name, ladder, rungs, make())
        except UsageError as refusal:
            print(f"skipped: {refusal}")
            continue
        rows = [row if row["ladder"] == NUMBERS else with_order(row) for row in rows]
        record(
            __file__, rows, seed=flags.seed, quick=flags.quick
        )  # what is there if this stops now
    if rows:
        record(__file__, rows, seed=flags.seed, quick=flags.quick)


if __name__ == "__main__":
    main()
