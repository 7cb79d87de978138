"""Time per training image beside the loop that tutorials write, and as data, pixels and processes grow; how soon it begins.

tutorial    the networks of a textbook DCGAN on 28x28 (see ``benchmarks.textbook``), non-saturating loss, Adam, batch 64, in
            our loop and in theirs with torch's DataLoader, in turns; ours draws fresh samples for each player, theirs the same,
            and, as textbooks print it, once for both, one pass of G less
pythae      its own VAE for MNIST in our loop and in its trainer, float32, at this batch, in turns of one epoch (see ``benchmarks.vae``);
            left out where pythae is not installed
scikit-learn  a Boltzmann machine of 500 units in our loop and in BernoulliRBM in this precision, ours in float32, in turns of
            one epoch of MNIST in batches of 100 (see ``benchmarks.rbm``)
images      the default classifier, a small one, of so many 8x8 images: our loop beside a DataLoader over the same tensors in memory
pixels      the default GAN on colour images of so many pixels a side, microseconds an image; ``factor`` is over the row before
processes   the same at 32 pixels by --processes, on the same batch
start       seconds of a new process: --help, and a training to its first round

Ratios are taken turn by turn, and the median stands in the table: above 1 ours is faster.  A row that is there is kept.
"""

import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks import rbm, vae
from benchmarks.record import kept, parser, record
from benchmarks.textbook import BOOK, loop
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import plausible
from plausible.data.part import Data
from plausible.models.gan.presets import presets
from plausible.runs.log import read_log

GROW = ("images", "pixels", "processes")
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
    return in_turns(lambda: seconds(ours, rounds), lambda: seconds(theirs, rounds), turns)


def in_turns(
    ours: Callable[[], float], theirs: Callable[[], float], turns: int
) -> tuple[float, float]:
    """The same of two that say themselves how many seconds they took."""
    took = []
    for turn in range(turns + 1):
        pair = [play() for play in ((ours, theirs), (theirs, ours))[turn % 2]]
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


def digits(n: int) -> Data:
    """n images of MNIST, binarised once."""
    data = plausible.load("mnist", plausible.Options(binarise="static"))
    return replace(data, train=data.train.rows(slice(0, n)))


def beside_pythae(batch: int, turns: int, n: int, seed: int) -> dict[str, Any]:
    """The same layers and first weights in both loops."""
    data = digits(n)
    x = data.train.as_batch().x

    def ours() -> float:
        model, _ = vae.built(data.space, batch, seed)
        settings = plausible.Settings(steps=n // batch, seed=seed, precision="float32")
        began = time.perf_counter()
        for _ in plausible.train(model, data, settings):
            pass
        return (time.perf_counter() - began) / (n // batch * batch)

    def theirs() -> float:
        loop = vae.trainer(vae.built(data.space, batch, seed)[1], x, batch, 1)
        with contextlib.redirect_stderr(io.StringIO()):  # its bar
            began = time.perf_counter()
            loop.train()
        return (time.perf_counter() - began) / n

    mine, faster = in_turns(ours, theirs, turns)
    return {"us an image": 1e6 * mine, "ratio": faster}


def beside_scikit_learn(precision: str, turns: int, n: int, seed: int) -> dict[str, Any]:
    """The same machine by persistent chains in both."""
    data = digits(n)
    x = data.train.as_batch().x.flatten(1).numpy().astype(precision)  # (n, 784)
    mine, faster = in_turns(
        lambda: rbm.ours(data, n, seed, "float32"), lambda: rbm.theirs(x, seed), turns
    )
    return {"us an image": 1e6 * mine / n, "ratio": faster}


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
    few, epoch = max(1, rounds // 10), 2_000 if asked.quick else 20_000
    todo: list[tuple[str, Any, Callable[[], dict[str, Any]]]] = [
        ("tutorial", "fresh samples", lambda: tutorial(True, turns, few, seed)),
        ("tutorial", "as printed", lambda: tutorial(False, turns, few, seed)),
        *(("pythae", n, lambda n=n: beside_pythae(n, turns, epoch, seed)) for n in (64, 256)),
        *(("scikit-learn", name, lambda name=name: beside_scikit_learn(name, turns, epoch, seed)) for name in ("float64", "float32")),
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
        if kind == "pythae" and find_spec("pythae") is None:
            print(
                "the rows of pythae are left out, which is not installed: pip install pythae==0.1.2"
            )
            continue
        row = {**empty, "kind": kind, "what": what, **measure()}
        if rows and rows[-1]["kind"] == kind in GROW and row["us an image"]:
            row["factor"] = row["us an image"] / rows[-1]["us an image"]
        rows.append(row)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
