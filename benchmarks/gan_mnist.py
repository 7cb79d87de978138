"""Quality per minute: the default GAN beside textbook loops, on 2 idle cores without a GPU.

Wall-clock budgets of training; scoring is not counted.  The distance is the Frechet distance of 10,000
samples to the 10,000 test images in the 64 penultimate features of the classifier, as a multiple of that of
10,000 training images.  Precision, recall, density, coverage: k = 5, 5,000 each.  Reverse KL: of the shares
of classes from those of the training part, in nats, the classifier deciding the class of a sample.  Our schedule
ends with its budget, so each budget is a training of its own; the textbook loops have no schedule and are
scored at each budget of one training.  Each result is written as soon as it is there, with the commit
that the script was started at, and the same command goes on where it stopped; --fresh starts again.
--tune scores against the validation part: nothing may be chosen by the test set.
The data must be in $PLAUSIBLE_DATA.  Set GOMP_SPINCOUNT=3000, as the command line does by itself.
"""

import importlib
import sys
import time
from collections.abc import Iterator
from statistics import mean
from typing import Any

import torch
from benchmarks.gan_classifier import Bench, described, trained_classifier
from benchmarks.record import commit, kept, parser, record
from benchmarks.textbook import BOOK, RECIPE, draw, loop

import plausible
from plausible.data.part import Data

Result = tuple[float, float, torch.Tensor, torch.Tensor | None]
"""Minutes of the budget, images/s, samples (n, 1, 28, 28) in [0, 1], and the labels asked for."""

SETS = ["mnist", "fashion-mnist"]
ROWS = ["ours", "conditional", *BOOK, "torchgan"]
ASKED_ONLY = ["mlp-eps"]  # rows that a full run leaves out
LEAST_ACCURACY = {
    "mnist": 0.99
}  # of the classifier on test images, without which nothing is measured
QUICK_SAMPLES, QUICK_MINUTES = 200, [0.02, 0.03]


def ours(data: Data, n: int, seed: int, minutes: float, conditional: bool) -> Result:
    """The default of ``plausible train gan``, or p(x | y) with --conditional."""
    torch.manual_seed(seed)
    model = plausible.GAN(data.space, plausible.GAN.Config(conditional=conditional))
    training = plausible.train(model, data, plausible.Settings(minutes=minutes, seed=seed))
    told = time.perf_counter()
    for step in training:
        if time.perf_counter() - told > 30:
            told = time.perf_counter()
            print(f"  {step.clock.progress:.0%}, step {step.clock.step}", flush=True)
    speed = training.clock.images / training.seconds
    drawn = training.averaged.sample(n, generator=torch.Generator().manual_seed(seed))
    return minutes, speed, drawn.x, drawn.y


def results(data: Data, who: str, n: int, seed: int, minutes: list[float]) -> Iterator[Result]:
    """What a row is scored on, budget after budget."""
    if who in BOOK:
        x, budgets = data.train.as_batch().x, sorted(minutes)
        for budget, (spent, images, g) in zip(budgets, loop(who, x, seed, budgets), strict=True):
            yield budget, images / (60 * spent), draw(g, n, seed), None
    else:
        for budget in minutes:
            yield ours(data, n, seed, budget, who == "conditional")


def related(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with their ratio to the mean distance of the DCGAN rows of the same data and budget."""
    book = means([row for row in rows if row["who"] == "dcgan"])
    for row in rows:
        same = book.get((row["data"], row["minutes"], "dcgan"))
        row["x dcgan"] = round(row["x real"] / same, 4) if same else ""
    return sorted(rows, key=place)


def place(row: dict[str, Any]) -> tuple[int, float, int, int]:
    """Where a row stands in the table."""
    return SETS.index(row["data"]), row["minutes"], ROWS.index(row["who"]), row["seed"]


def means(rows: list[dict[str, Any]]) -> dict[tuple[str, float, str], float]:
    """{(data, minutes, who): mean over seeds of the distance in multiples of real-vs-real}."""
    found: dict[tuple[str, float, str], list[float]] = {}
    for row in sorted(rows, key=place):
        found.setdefault((row["data"], row["minutes"], row["who"]), []).append(row["x real"])
    return {key: mean(values) for key, values in found.items()}


def torchgan() -> str:
    """Why there is no row of torchgan."""
    try:
        importlib.import_module("torchgan")
    except Exception as error:  # what torchvision raises beside a torch it was not built for varies
        return (
            f"torchgan: not installed ({error}); it needs torchvision, and the wheels on PyPI (0.28.0 "
            f"for torch 2.13.0) are built for a GPU: beside torch's CPU build `import torchvision` ends "
            f"with 'operator torchvision::nms does not exist', and torchgan 0.1.0 with it"
        )
    return "torchgan: it can be imported here, but the machine this was written on had none to try"


def summary(rows: list[dict[str, Any]], bases: dict[str, str]) -> str:
    """What the table does not say: classifier, unit, textbook recipe, and means over seeds."""
    averages = means(rows)
    lines = []
    for (name, minutes, who), value in averages.items():
        book = averages.get((name, minutes, "dcgan"))
        ratio = f", {value / book:.3f} x dcgan" if book else ""
        lines.append(f"{name}, {minutes:g} min, {who}: {value:.1f} x real{ratio} (mean over seeds)")
    return "\n".join([*bases.values(), RECIPE, torchgan(), *lines])


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--data", nargs="+", choices=SETS, default=SETS)
    flags.add_argument("--seeds", type=int, default=3, help="--seed and the following")
    flags.add_argument("--minutes", type=float, nargs="+", default=[3.0, 8.0])
    flags.add_argument("--rows", nargs="+", choices=ROWS)
    flags.set_defaults(rows=[who for who in ROWS if who not in ASKED_ONLY])
    flags.add_argument("--tune", action="store_true", help="score against the validation part")
    flags.add_argument("--fresh", action="store_true", help="forget the results so far")
    try:
        bench(flags.parse_args())
    except plausible.UsageError as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(2)


def bench(asked: Any) -> None:
    """Train and score what is asked for and not there yet."""
    script = __file__.replace(".py", "-tune.py") if asked.tune else __file__
    n, minutes, seeds = 10_000, asked.minutes, asked.seeds
    if asked.quick:
        n, minutes, seeds = QUICK_SAMPLES, QUICK_MINUTES, 1
    rows = [] if asked.fresh or asked.quick else kept(script, quick=False)
    started_at = commit()  # the code that runs is the code of this moment
    # Every set that has rows is described, also one that this call adds nothing to.
    sets = [name for name in SETS if name in asked.data or name in {row["data"] for row in rows}]
    bases = {}
    for name in sets:
        data = plausible.load(name)
        classifier, right = trained_classifier(data, quick=asked.quick)
        least = 0.0 if asked.quick else LEAST_ACCURACY.get(name, 0.0)
        if right < least:
            raise plausible.UsageError(
                f"the classifier of {name} has {right:.2%} right, not {least:.0%}"
            )
        real = Bench(data, data.validation if asked.tune else data.heldout, classifier, n)
        bases[name] = basis(data, real, right, asked.quick, asked.tune)
        print(bases[name], flush=True)
        for row in rows:
            if row["data"] == name and abs(row["unit"] / real.unit - 1) > 1e-3:
                raise plausible.UsageError(
                    f"the rows of {name} were scored by another classifier (unit {row['unit']:.4f}, now "
                    f"{real.unit:.4f}): restore its folder in the cache, or use --fresh"
                )
        if name not in asked.data:
            continue
        for who in (who for who in asked.rows if who != "torchgan"):
            for seed in range(asked.seed, asked.seed + seeds):
                key = {"data": name, "who": who, "seed": seed}
                done = {row["minutes"] for row in rows if key.items() <= row.items()}
                missing = [budget for budget in minutes if budget not in done]
                if not missing:
                    print(f"{name}, {who}, seed {seed}: all there", flush=True)
                    continue
                print(f"{name}, {who}, seed {seed}: {missing} minutes to train", flush=True)
                for budget, speed, x, y in results(data, who, n, seed, missing):
                    row = {"data": name, "who": who, "minutes": budget, "seed": seed}
                    row |= {"images/s": round(speed), "as asked": "", **real.score(x, y)}
                    # the column is called "judge" in the results that are kept
                    row |= {"unit": real.unit, "judge": right, "commit": started_at}
                    rows = related([*rows, row])
                    print("  " + ", ".join(f"{k} {shown(v)}" for k, v in row.items()), flush=True)
                    record(
                        script,
                        rows,
                        seed=asked.seed,
                        quick=asked.quick,
                        notes=summary(rows, bases),
                    )


def basis(data: Data, real: Bench, right: float, quick: bool, tune: bool) -> str:
    """The classifier and the unit of a data set, and what real data get in every column."""
    part = "validation" if tune else "test"
    columns = ", ".join(f"{k} {shown(v)}" for k, v in real.real.items())
    return (
        f"{data.name}: classifier, {described(data, quick)}, {right:.2%} of the test images right; unit: "
        f"{real.n:,} training images to {len(real.reference):,} {part} images, {real.unit:.4f}; "
        f"those training images: {columns}"
    )


def shown(value: Any) -> str:
    """A number short enough for a line."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
