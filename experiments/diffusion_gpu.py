"""Flow matching on a GPU in bf16: images/s, how much of the processor that is, and how good it gets.

A wider and deeper network than the default, on signs at 32 or 64 pixels, in slices: training stops after --slice minutes, and
the same command goes on.  One row a size and seed.  The data must be in $PLAUSIBLE_DATA.

TFLOP/s     multiplications and additions of forward and backward, counted by torch, as they were done in a second
% of peak   of --peak, in TFLOP/s: 989 is that of an H100 or H200 in dense bf16
The other columns are those of ``diffusion_images``, by 64 evaluations a sample.
"""

import time
from pathlib import Path

import torch
from benchmarks.flops import flops
from benchmarks.record import parser, record_row
from benchmarks.sets import source
from experiments.equal_minutes import MOST, compared, drawn, judged
from experiments.slices import train_a_slice

import plausible
from plausible.core.game import Clock
from plausible.core.space import Batch, Space
from plausible.data.options import Options
from plausible.models import Diffusion
from plausible.tasks.eyes import eyes_of


def operations(space: Space, config: Diffusion.Config) -> float:
    """Of one image, forward and backward."""
    model, n = Diffusion(space, config), 4
    batch = Batch(torch.rand(n, *space.shape))
    return flops(lambda: model.loss(batch, Clock()).total.backward()) / n


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--size", type=int, choices=[32, 64], default=32)
    flags.add_argument("--minutes", type=float, default=8.0)
    flags.add_argument("--slice", type=float, default=8.0, help="minutes of training in this call")
    flags.add_argument("--width", type=int, default=128)
    flags.add_argument("--blocks", type=int, default=2)
    flags.add_argument("--batch", type=int, default=256)
    flags.add_argument("--peak", type=float, default=989.0)
    flags.add_argument("--folder", type=Path, default=Path("runs/diffusion-gpu"))
    asked = flags.parse_args()
    minutes = 0.02 if asked.quick else asked.minutes
    config = Diffusion.Config(
        width=8 if asked.quick else asked.width, blocks=asked.blocks, batch=16 if asked.quick else asked.batch
    )  # fmt: skip
    gpu, options = torch.cuda.is_available(), Options(size=asked.size)
    settings = plausible.Settings(
        minutes=minutes, seed=asked.seed, precision="bf16" if gpu else "float32"
    )
    name = (
        f"signs-{asked.size}-{config.width}-{config.blocks}-{config.batch}-{minutes:g}-{asked.seed}"
    )
    training = train_a_slice(
        asked.folder / name, "diffusion", source("signs"), config, settings, asked.slice, options
    )
    data = plausible.load(source("signs"), options)
    speed = training.clock.images / training.seconds
    done = speed * operations(data.space, config) / 1e12
    n = 20 if asked.quick else min(len(data.heldout), MOST)
    began = time.perf_counter()
    samples = drawn(training.averaged, 2 if asked.quick else 64, 3 * n, asked.seed)  # to the CPU
    drawing = 3 * n / (time.perf_counter() - began)
    embedding = eyes_of(data, n, "auto", 0, lambda stage, share: None).embedding
    row = {
        "pixels": asked.size, "seed": asked.seed, "minutes": minutes, "width": config.width, "blocks": config.blocks,
        "batch": config.batch, "images/s, training": speed, "TFLOP/s": done, "% of peak": 100 * done / asked.peak,
        "images/s, drawing": drawing, **judged(compared(samples, data, embedding, asked.seed)),
    }  # fmt: skip
    record_row(__file__, row, ("pixels", "seed", "minutes", "width", "blocks", "batch"), "pixels", seed=asked.seed, quick=asked.quick)  # fmt: skip


if __name__ == "__main__":
    main()
