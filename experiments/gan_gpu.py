"""The best that a GPU learns of MNIST and Fashion-MNIST in 10 minutes, by the classifier of gan_mnist.

The R3GAN pair, wider than the default, with the burn-in of its paper and augmentation that adapts.
Training stops after --slice minutes and the same command goes on; one row a data set and seed.  The
data must be in $PLAUSIBLE_DATA.
"""

from pathlib import Path

import torch
from benchmarks.gan_classifier import Bench, trained_classifier
from benchmarks.record import kept, parser, record
from experiments.slices import train_a_slice

import plausible


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--data", choices=["mnist", "fashion-mnist"], default="mnist")
    flags.add_argument("--minutes", type=float, default=10.0)
    flags.add_argument("--slice", type=float, default=8.0, help="minutes of training in this call")
    flags.add_argument("--width", type=int, default=256)
    flags.add_argument("--batch", type=int, default=256)
    flags.add_argument("--folder", type=Path, default=Path("runs/gan-gpu"))
    asked = flags.parse_args()
    n, minutes, width = 10_000, asked.minutes, asked.width
    if asked.quick:
        n, minutes, width = 200, 0.1, 16
    data = plausible.load(asked.data)
    classifier, accuracy = trained_classifier(data, quick=asked.quick)
    config = plausible.GAN.Config(
        architecture="r3gan",
        width=width,
        batch=16 if asked.quick else asked.batch,
        lr=2e-4,
        lr_end=5e-5,
        decay=(0.0, 0.3),
        burn_in=0.3,
        beta2=0.9,
        beta2_end=0.99,
        penalty_weight=1.0,
        penalty_weight_end=0.1,
        penalty_every=1,
    )
    settings = plausible.Settings(
        minutes=minutes,
        seed=asked.seed,
        precision="bf16" if torch.cuda.is_available() else "float32",
    )
    name = f"{asked.data}-{width}-{config.batch}-{minutes:g}-{asked.seed}"
    training = train_a_slice(asked.folder / name, "gan", asked.data, config, settings, asked.slice)
    x = training.averaged.sample(n, generator=torch.Generator().manual_seed(asked.seed)).x.cpu()
    row = {
        "data": asked.data,
        "seed": asked.seed,
        "minutes": minutes,
        "width": width,
        "batch": config.batch,
        "images/s": round(training.clock.images / training.seconds),
        "judge": accuracy,  # of the classifier; the column keeps its name
        **Bench(data, data.heldout, classifier, n).score(x),
    }
    rows = [] if asked.quick else kept(__file__, quick=False)
    record(__file__, [*rows, row], seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
