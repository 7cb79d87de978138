"""How near each family comes to what this machine can multiply: training and sampling, default Config, MNIST.

peak      the faster of two: a product of 1024 x 1024 matrices in float32, and a 3x3 convolution of 64 images of 28x28 with 64
          channels forwards and backwards, in the faster of two layouts; measured before each row, with its number of threads
          (diffusion, which learns in bfloat16 where the processor has it, can pass it)
GFLOP     of all products and convolutions in a round (all players) or for a batch of samples, counted as they are called
of peak   GFLOP over the seconds of a round, as a share of the peak
products  the share of those seconds that is spent in products and convolutions at all, by torch's profiler on separate rounds:
          the rest goes to everything that counts as nothing here, element by element

of peak / products is how well the products alone are done: small ones cannot reach the peak.

bandwidth  GB/s of a copy of 256 MB, read and written, measured beside the peak
GB         read and written by everything but products, as ``benchmarks.traffic`` counts it
of limit   the seconds of products at the peak, plus those of all the rest at the bandwidth, over the seconds that it took: what
           stands between a round and the least that the same operations take one after the other where nothing stays in a
           cache.  Fusing them, or a cache that holds their numbers, can be faster than that: more than 100% is possible.

A row that is there is kept.
"""

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import torch
from benchmarks.flops import flops
from benchmarks.record import kept, parser, record
from benchmarks.traffic import traffic
from torch.profiler import ProfilerActivity, profile

import plausible
import plausible.models  # registers the families
from plausible.core.model import Generative, Model, models
from plausible.data.options import Options
from plausible.data.part import Data

FAMILIES = (
    "gan",
    "vae",
    "diffusion",
    "pixelcnn",
    "pixelrnn",
    "vq-vae",
    "flow",
    "rbm",
    "gsn",
    "convnet",
)
PRODUCTS = ("mm", "bmm", "addmm", "baddbmm", "conv", "mkldnn", "linear", "matmul")
ROUNDS = 16  # of which every penalty has its turn
SECONDS = 4.0  # of a measurement


def timed(call: Callable[[], Any], seconds: float) -> float:
    """The median seconds of a call, after one that warms up."""
    call()
    took: list[float] = []
    until = time.perf_counter() + seconds
    while len(took) < 3 or time.perf_counter() < until:
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return median(took)


def peak(seconds: float) -> float:
    """GFLOP/s of the best that this machine does with its threads."""
    a, b = torch.randn(2, 1024, 1024)
    rates = [2 * 1024**3 / timed(lambda: a @ b, seconds)]
    for layout in (torch.contiguous_format, torch.channels_last):
        conv = torch.nn.Conv2d(64, 64, 3, padding=1).to(memory_format=layout)  # type: ignore[call-overload]
        x = torch.randn(64, 64, 28, 28).to(memory_format=layout).requires_grad_()

        def update(conv: torch.nn.Module = conv, x: torch.Tensor = x) -> None:
            conv(x).sum().backward()

        rates.append(flops(update) / timed(update, seconds))
    return max(rates) / 1e9


def bandwidth(seconds: float, numbers: int) -> float:
    """GB/s of a copy of so many numbers."""
    source, to = torch.ones(2, numbers)
    return 2 * source.nbytes / timed(lambda: to.copy_(source), seconds) / 1e9


def in_products(call: Callable[[], Any]) -> float:
    """The share of a call's time that torch spends in products and convolutions."""
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        began = time.perf_counter()
        call()
        total = time.perf_counter() - began
    own = [e.self_cpu_time_total for e in seen.key_averages() if any(p in e.key for p in PRODUCTS)]
    return 1e-6 * sum(own) / total


def measured(work: Callable[[], Any], items: int, quick: bool) -> dict[str, Any]:
    """What one piece of work, of so many images, comes to."""
    seconds = 0.05 if quick else SECONDS
    best, copied = peak(seconds / 8), bandwidth(seconds / 8, 2**20 if quick else 2**26)
    took = timed(work, seconds)
    count, moved = flops(work) / 1e9, traffic(work) / 1e9
    return {
        "images/s": items / took, "GFLOP": count, "GFLOP/s": count / took, "peak GFLOP/s": best,
        "of peak": count / took / best, "products": in_products(work),
        "GB": moved, "bandwidth": copied, "of limit": (count / best + moved / copied) / took,
    }  # fmt: skip


def works(kind: type[Model], data: Data, batch: int, seed: int, quick: bool) -> Iterator[tuple[str, Callable[[], Any], int]]:  # fmt: skip
    """(what, the work, how many images it is of): some rounds of training, and a batch of samples."""
    torch.manual_seed(seed)
    choices = {"batch": batch} if hasattr(kind.Config, "batch") else {}
    training = plausible.train(
        kind(data.space, kind.Config(**choices)), data, plausible.Settings(steps=10**6, seed=seed)
    )
    rounds = 1 if quick else ROUNDS

    def learn() -> None:
        for _ in range(rounds):
            next(training)

    yield "training", learn, rounds * training.batch
    model = training.averaged
    if isinstance(model, Generative):
        few = 1 if quick else batch

        def draw() -> None:
            """The same samples each time, because how often an autoregressive network is asked depends on them."""
            model.sample(few, generator=torch.Generator().manual_seed(seed))

        yield "sampling", draw, few


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--families", nargs="*", default=list(FAMILIES), choices=FAMILIES)
    flags.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    flags.add_argument("--batches", nargs="*", type=int, default=[64, 256])
    asked = flags.parse_args()
    rows = [] if asked.quick else [r for r in kept(__file__, quick=False) if "of limit" in r]
    todo = [(f, t, b) for t in asked.threads for b in asked.batches for f in asked.families]
    for family, threads, batch in [("vae", 1, 16)] if asked.quick else todo:
        key = {"family": family, "threads": threads, "batch": batch}
        if any(key.items() <= row.items() for row in rows):
            continue
        torch.set_num_threads(threads)
        binary = Options(binarise="threshold") if family == "rbm" else Options()
        data = plausible.load("digits" if asked.quick else "mnist", binary)
        for what, work, items in works(models[family], data, batch, asked.seed, asked.quick):
            rows.append({**key, "what": what, **measured(work, items, asked.quick)})
            print(rows[-1], flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
