"""Time per training image beside the loop that tutorials write, and as data, pixels and processes grow; how soon it begins.

tutorial    the networks of a textbook DCGAN on 28x28 (see ``benchmarks.textbook``), non-saturating loss, Adam, batch 64, in
            our loop and in theirs with torch's DataLoader, in turns; ours draws fresh samples for each player, theirs the same,
            and, as textbooks print it, once for both, one pass of G less
images      the default classifier, a small one, of so many 8x8 images: our loop beside a DataLoader over the same tensors in memory
pixels      the default GAN on colour images of so many pixels a side, microseconds an image; ``factor`` is over the row before
processes   the same at 32 pixels by --processes, on the same batch
start       seconds of a new process: --help, and a training to its first round

Ratios are taken turn by turn, and the median stands in the table: above 1 ours is faster.  A row that is there is kept.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.record import kept, parser, record
from benchmarks.textbook import BOOK, loop
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import plausible
from plausible.data.part import Data
from plausible.models.gan.presets import presets
from plausible.runs.log import read_log

COUNTS, SIDES = (1_000, 10_000, 100_000, 1_000_000), (8, 16, 32, 64, 128)
Round = Callable[[], Any]


def images(n: int, shape: tuple[int, ...], seed: int) -> Data:
    """n images of noise in two classes."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(256, (n, *shape), generator=generator, dtype=torch.uint8)
    return plausible.from_arrays(x.numpy(), torch.arange(n).remainder(2).numpy(), name="noise")


def seconds(play: Round, rounds: int) -> float:
    """Of a round, the mean of some."""
    began = time.perf_counter()
    for _ in range(rounds):
        play()
    return (time.perf_counter() - began) / rounds


def ratio(ours: Round, theirs: Round, turns: int, rounds: int) -> tuple[float, float]:
    """(median seconds of our round, median of theirs over ours), by turns after one that warms up."""
    took = []
    for turn in range(turns + 1):
        pair = [(seconds(play, rounds)) for play in ((ours, theirs), (theirs, ours))[turn % 2]]
        took.append(pair if turn % 2 == 0 else pair[::-1])
    return (
        statistics.median(mine for mine, _ in took[1:]),
        statistics.median(other / mine for mine, other in took[1:]),
    )


def rounds_of(model: plausible.Model, data: Data, seed: int) -> Round:
    """A round of our loop."""
    training = plausible.train(model, data, plausible.Settings(steps=10**7, seed=seed))
    return lambda: next(training)


def tutorial(fresh: bool, turns: int, rounds: int, seed: int) -> dict[str, Any]:
    """A textbook DCGAN in both loops, theirs with fresh samples for G or with those that D has judged."""
    data = images(10_000, (1, 28, 28), seed)
    generator, discriminator = BOOK["dcgan"]()
    usual = plausible.GAN.Config().architecture
    config = replace(presets["dcgan"].config, batch=64, architecture=usual)
    model = plausible.GAN(data, config, generator=generator, discriminator=discriminator)
    x = data.train.values.float() / 255
    marks = [k * 1e-9 for k in range(1, 10**5)]  # stops after every round
    theirs = loop("dcgan", x, seed, marks, fresh)
    mine, faster = ratio(rounds_of(model, data, seed), lambda: next(theirs), turns, rounds)
    return {"us an image": 1e6 * mine / 64, "ratio": faster}


def batches(x: Tensor, y: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """What a DataLoader gives, for ever."""
    while True:
        yield from DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)


def of_count(n: int, turns: int, rounds: int, seed: int) -> dict[str, Any]:
    """The same small classifier learned from n images in both loops."""
    data = images(n, (1, 8, 8), seed)
    model, theirs = (plausible.ConvNet(data, plausible.ConvNet.Config(width=4)) for _ in range(2))
    optimizer = torch.optim.Adam(theirs.parameters())
    assert data.train.y is not None
    some = batches(data.train.values.float(), data.train.y)

    def update() -> None:
        x, y = next(some)
        loss = nn.functional.cross_entropy(theirs.head(theirs.features(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    mine, faster = ratio(rounds_of(model, data, seed), update, turns, rounds)
    return {"us an image": 1e6 * mine / model.batch, "ratio": faster}


def of_side(side: int, turns: int, rounds: int, seed: int) -> dict[str, Any]:
    """A default GAN on colour images."""
    data = images(2_000, (3, side, side), seed)
    model = plausible.GAN(data, plausible.GAN.Config())
    play = rounds_of(model, data, seed)
    play()
    took = statistics.median(seconds(play, rounds) for _ in range(turns))
    return {"us an image": 1e6 * took / model.batch}


def command(*words: str) -> float:
    """Seconds of a process of its own."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "plausible", *words], check=True, capture_output=True)
    return time.perf_counter() - began


def by_processes(count: int, rounds: int, seed: int) -> dict[str, Any]:
    """The command line with so many processes, by the seconds that its log has."""
    with tempfile.TemporaryDirectory() as place:
        run, source = Path(place) / "run", Path(place) / "noise.npy"
        np.save(source, images(2_000, (3, 32, 32), seed).train.values.numpy())
        command(
            "train", "gan", "--data", str(source), "--steps", str(rounds), "--out", str(run),
            "--processes", str(count), "--no-evaluate", "--no-watch", "--seed", str(seed),
        )  # fmt: skip
        lines = [line for _, line in read_log(run / "log.jsonl")]
        batch = plausible.Run(run).fresh().batch
    first, last = lines[0], lines[-1]
    each = (last["seconds"] - first["seconds"]) / (last["step"] - first["step"])
    return {"us an image": 1e6 * each / batch}


def start(words: Sequence[str], turns: int) -> dict[str, Any]:
    """A new process, after one that read its files from the disk."""
    took = [command(*words) for _ in range(turns + 1)]
    return {"seconds": statistics.median(took[1:])}


def first_round(turns: int) -> dict[str, Any]:
    """A training of one round on the digits, the whole process."""
    words = ("train", "gan", "--steps", "1", "--no-evaluate", "--no-watch", "--out")
    with tempfile.TemporaryDirectory() as place:
        took = [command(*words, f"{place}/{k}") for k in range(turns)]
    return {"seconds": statistics.median(took)}


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--only", nargs="*", default=None, help="rows of these kinds")
    asked = flags.parse_args()
    turns, rounds, seed = (1, 2, asked.seed) if asked.quick else (7, 50, asked.seed)
    counts, sides = (COUNTS[:1], SIDES[:1]) if asked.quick else (COUNTS, SIDES)
    few = max(1, rounds // 10)
    todo: list[tuple[str, Any, Callable[[], dict[str, Any]]]] = [
        ("tutorial", "fresh samples", lambda: tutorial(True, turns, few, seed)),
        ("tutorial", "as printed", lambda: tutorial(False, turns, few, seed)),
        *(("images", n, lambda n=n: of_count(n, turns, rounds, seed)) for n in counts),
        *(("pixels", side, lambda side=side: of_side(side, turns, few, seed)) for side in sides),
        *(("processes", n, lambda n=n: by_processes(n, 4 * few + 1, seed)) for n in (1, 2)),
        ("start", "--help", lambda: start(["--help"], turns)),
        ("start", "first round", lambda: first_round(turns)),
    ]  # fmt: skip
    rows = [] if asked.quick else kept(__file__, quick=False)
    empty = {"kind": "", "what": "", "us an image": "", "ratio": "", "factor": "", "seconds": ""}
    for kind, what, measure in todo:
        if any((row["kind"], row["what"]) == (kind, what) for row in rows) or (
            asked.only is not None and kind not in asked.only
        ):
            continue
        row = {**empty, "kind": kind, "what": what, **measure()}
        if rows and rows[-1]["kind"] == kind != "tutorial" and row["us an image"]:
            row["factor"] = row["us an image"] / rows[-1]["us an image"]
        rows.append(row)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
