"""What of a GPU a round of training uses: as it stands, compiled, and as CUDA graphs, by precision and layout.

Default networks on random images in colour of 32 and 64 pixels a side, which lie on the device; for a processor too, where graphs
are left out.  A row that is there is kept, and no row is begun after --slice minutes: the script then ends with 3, and the same
command goes on.

precision  float32 as torch has it; tf32, products of float32 with 10 bits; bf16, mixed by torch.autocast
last       whether weights are in the order (N, H, W, C)
first      seconds of the first rounds, in which code is made and graphs are recorded
TFLOP/s    of products and convolutions in a round (all players), counted as they are called when nothing is compiled
of peak    of the fastest product of two square matrices in that precision, measured before each row
waits      times in a round that the processor waits for the GPU, which torch reports; none where there is no GPU
"""

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, get_args

import numpy as np
import torch
from benchmarks.flops import flops
from benchmarks.limits import timed
from benchmarks.record import kept, parser, record

import plausible
import plausible.models  # registers the families
from plausible.core.choices import Compile
from plausible.core.device import resolve_device
from plausible.core.model import models
from plausible.data.part import Data
from plausible.training import Training, compiled

FAMILIES = ("gan", "diffusion", "vae", "pixelcnn")
PIXELS = (32, 64)
PRECISIONS = ("float32", "tf32", "bf16")
IMAGES = 4096
WARM = 20  # rounds in which code is made: every penalty and augmentation has its turn
SECONDS = 5.0  # of a measurement
PEAK = 8192  # rows and columns of the matrices on a GPU


def random_images(pixels: int, n: int, seed: int) -> Data:
    """Of noise, because what a round costs does not depend on what it sees."""
    x = np.random.default_rng(seed).integers(0, 256, (n, 3, pixels, pixels), dtype=np.uint8)
    return plausible.load(x)


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Products of float32 with as many bits, for a while."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
        torch.backends.cudnn.allow_tf32 = True


def wait(device: torch.device) -> None:
    """Until all is done that was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak(precision: str, device: torch.device, seconds: float) -> float:
    """TFLOP/s of a product of large matrices."""
    size = PEAK if device.type == "cuda" else 512
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = torch.randn(2, size, size, device=device, dtype=dtype)

    def multiply() -> None:
        a @ b
        wait(device)

    with computing_in(precision):
        return 2 * size**3 / timed(multiply, seconds) / 1e12


def training_of(key: dict[str, Any], data: Data, batch: int, seed: int) -> Training[Any]:
    """A training of a family by a row of the table."""
    torch.manual_seed(seed)
    kind = models[key["family"]]
    layout = torch.channels_last if key["last"] else torch.contiguous_format
    model: Any = kind(data.space, kind.Config(batch=batch))
    model = model.to(data.train.values.device).to(memory_format=layout)
    mixed = "bf16" if key["precision"] == "bf16" else "float32"
    settings = plausible.Settings(10**6, seed=seed, precision=mixed, compile=key["compile"])
    return plausible.train(model, data, settings)


def waits(training: Training[Any], rounds: int) -> float | None:
    """How often a round makes the processor wait for the GPU."""
    if training.device.type != "cuda":
        return None
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            for _ in range(rounds):
                next(training)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing" in str(each.message) for each in said) / rounds


def measured(key: dict[str, Any], data: Data, work: float, batch: int, seed: int, seconds: float) -> dict[str, Any]:  # fmt: skip
    """The rest of a row; ``work``: operations of a round."""
    device = data.train.values.device
    best = peak(key["precision"], device, seconds / 10)
    with computing_in(key["precision"]):
        began, training = time.perf_counter(), training_of(key, data, batch, seed)

        def play(rounds: int) -> None:
            for _ in range(rounds):
                next(training)
            wait(device)

        play(WARM)
        first = time.perf_counter() - began
        took = timed(lambda: play(4), seconds) / 4
        waited = waits(training, 16)
    done = work / took / 1e12
    return {"first": first, "images/s": batch / took, "TFLOP/s": done, "peak": best, "of peak": done / best, "waits": waited, "failed": ""}  # fmt: skip


def row_of(key: dict[str, Any], data: Data, work: float, batch: int, seed: int, seconds: float) -> dict[str, Any]:  # fmt: skip
    """A row, which says so where it could not be measured."""
    try:
        return {**key, **measured(key, data, work, batch, seed, seconds)}
    except (RuntimeError, MemoryError) as error:
        names = ("first", "images/s", "TFLOP/s", "peak", "of peak", "waits")
        return {**key, **dict.fromkeys(names), "failed": str(error).splitlines()[0][:120]}


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument(
        "--slice", type=float, default=9.0, help="minutes after which no row is begun"
    )
    flags.add_argument("--families", nargs="*", default=list(FAMILIES), choices=FAMILIES)
    flags.add_argument("--batch", type=int, default=256)
    asked = flags.parse_args()
    device, until = resolve_device("auto"), time.perf_counter() + 60 * asked.slice
    hows = [how for how in get_args(Compile) if how != "graphs" or device.type == "cuda"]
    rows = [] if asked.quick else kept(__file__, quick=False)
    todo = list(product(asked.families, PIXELS, hows, PRECISIONS, (False, True)))
    batch, n, seconds = asked.batch, IMAGES, SECONDS
    if asked.quick:
        compiled.BACKEND = "eager"  # which makes no code, in no time
        todo, batch, n, seconds = [("vae", 8, how, "float32", True) for how in hows], 8, 200, 0.05
    names = ("family", "pixels", "compile", "precision", "last")
    for case in todo:
        key = {**dict(zip(names, case, strict=True)), "batch": batch, "device": str(device.type)}
        if any(key.items() <= row.items() for row in rows):
            continue
        if time.perf_counter() > until:
            print(f"{len(rows)} of {len(todo)} rows are there: give the same command again")
            sys.exit(3)
        data = random_images(key["pixels"], n, asked.seed).to(device)
        plain = {**key, "compile": "off", "precision": "float32"}
        with computing_in("float32"):
            plainly = training_of(plain, data, batch, asked.seed)
            work = flops(lambda each=plainly: next(each), 1 if asked.quick else 16)
        del plainly
        rows.append(row_of(key, data, work, batch, asked.seed, seconds))
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
