"""Quality per minute: the default GAN beside textbook loops, on 2 cores without a GPU.

Wall-clock budgets of training; scoring is not counted.  The distance is the Frechet distance of 10,000
samples to the 10,000 test images in the 64 penultimate features of the judge, as a multiple of that of
10,000 training images.  Precision, recall, density, coverage: k = 5, 5,000 each.  Reverse KL: of the shares
of digits from those of the training part, in nats.  Our schedule ends with its budget, so each budget is
a training of its own; the textbook loops have no schedule and are scored at each budget of one training.
Each result is written as soon as it is there, and the same command goes on where it stopped; --fresh
starts again.  --tune scores against the validation part: nothing may be chosen by the test set.
The data must be in $PLAUSIBLE_DATA.
"""

import time
from collections.abc import Iterator
from statistics import mean
from typing import Any

import torch
from benchmarks.gan_judge import STEPS, WIDTH, Bench, trained_judge
from benchmarks.record import kept, parser, record
from benchmarks.textbook import BOOK, draw, loop

import plausible
from plausible.data.part import Data

Result = tuple[float, float, torch.Tensor, torch.Tensor | None]
"""Minutes of the budget, images/s, samples (n, 1, 28, 28) in [0, 1], and the labels asked for."""


def ours(data: Data, n: int, seed: int, minutes: float, conditional: bool) -> Result:
    """The default of ``plausible train gan``, or p(x | y) with --conditional."""
    torch.manual_seed(seed)
    model = plausible.GAN(data.space, plausible.GAN.Config(conditional=conditional))
    training = plausible.train(model, data, plausible.Settings(minutes=minutes, seed=seed))
    told = time.perf_counter()
    for step in training:
        if time.perf_counter() - told > 30:
            told = time.perf_counter()
            print(f"  {step.clock.spent:.0%}, step {step.clock.step}", flush=True)
    drawn = training.averaged.sample(n, generator=torch.Generator().manual_seed(seed))
    return minutes, training.clock.images / training.seconds, drawn.x, drawn.y


def results(data: Data, who: str, n: int, seed: int, minutes: list[float]) -> Iterator[Result]:
    """What a row is scored on, budget after budget."""
    if who in BOOK:
        x, budgets = data.train.everything().x, sorted(minutes)
        for budget, (spent, images, g) in zip(budgets, loop(who, x, seed, budgets), strict=True):
            yield budget, images / (60 * spent), draw(g, n, seed), None
    else:
        for budget in minutes:
            yield ours(data, n, seed, budget, who == "conditional")


def related(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with their ratio to the mean distance of the DCGAN rows of the same data and budget."""
    for row in rows:
        same = [
            other["x real"]
            for other in rows
            if (other["data"], other["minutes"], other["who"])
            == (row["data"], row["minutes"], "dcgan")
        ]
        row["x dcgan"] = round(row["x real"] / mean(same), 4) if same else ""
    return sorted(rows, key=lambda row: (row["data"], row["minutes"], row["who"], row["seed"]))


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--data", nargs="+", default=["mnist", "fashion-mnist"])
    flags.add_argument("--seeds", type=int, default=3, help="--seed and the following")
    flags.add_argument("--minutes", type=float, nargs="+", default=[3.0, 8.0])
    flags.add_argument("--rows", nargs="+", default=["ours", "conditional", *BOOK])
    flags.add_argument("--tune", action="store_true", help="score against the validation part")
    flags.add_argument("--fresh", action="store_true", help="forget the results so far")
    asked = flags.parse_args()
    script = __file__.replace(".py", "-tune.py") if asked.tune else __file__
    n, minutes, sets, seeds = 10_000, asked.minutes, asked.data, asked.seeds
    if asked.quick:
        n, minutes, sets, seeds = 200, [0.03, 0.05], asked.data[:1], 1
    rows = [] if asked.fresh or asked.quick else kept(script, quick=False)
    notes = {}
    for name in sets:
        data = plausible.load(name)
        judge, accuracy = trained_judge(data, quick=asked.quick)
        bench = Bench(data, data.validation if asked.tune else data.heldout, judge, n)
        notes[name] = (
            f"{name}: judge, a ConvNet of width {WIDTH}, {STEPS} steps of 64, seed 0, "
            f"{accuracy:.2%} of the test images right; 1 x real is {bench.unit:.4f}"
        )
        print(notes[name], flush=True)
        for who in asked.rows:
            for seed in range(asked.seed, asked.seed + seeds):
                done = {
                    row["minutes"]
                    for row in rows
                    if (row["data"], row["who"], row["seed"]) == (name, who, seed)
                }
                missing = [budget for budget in minutes if budget not in done]
                print(f"{name}, {who}, seed {seed}: {missing} minutes to train", flush=True)
                for budget, speed, x, y in results(data, who, n, seed, missing):
                    row = {"data": name, "who": who, "minutes": budget, "seed": seed}
                    rows = related([*rows, row | {"images/s": round(speed), **bench.score(x, y)}])
                    record(
                        script,
                        rows,
                        seed=asked.seed,
                        quick=asked.quick,
                        notes="; ".join(notes.values()),
                    )


if __name__ == "__main__":
    main()
