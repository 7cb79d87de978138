"""Nats against minutes: -log p of the 10,000 test images of binarised MNIST, for the explicit models.

Binarisation is static: each pixel is drawn once, 1 with its grey value as probability, with the seed of
the library.  That is the protocol of the published figures called static, but not the very same drawn
images, so compare to about 0.3 nats; never compare with figures of dynamic binarisation.  Training
stops after --slice minutes and the same command goes on; every finished one is a row.  Those that end
in -gpu are nearer to the networks of the papers.  MNIST must be in $PLAUSIBLE_DATA/mnist.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import parser, record_row
from experiments.slices import train_a_slice

import plausible
from plausible.core.likelihood import LogProb
from plausible.core.model import Model
from plausible.models import NaiveBayes, PixelCNN, PixelRNN

STATIC = plausible.Options(binarise="static")
CPU: dict[str, tuple[type[Model], Any]] = {
    "pixelcnn": (PixelCNN, PixelCNN.Config()),
    "pixelrnn-diagonal": (PixelRNN, PixelRNN.Config()),
    "pixelrnn-row": (PixelRNN, PixelRNN.Config(version="row")),
    "naive-bayes": (NaiveBayes, NaiveBayes.Config(conditional=False)),
}
GPU: dict[str, tuple[type[Model], Any]] = {
    "pixelcnn-gpu": (PixelCNN, PixelCNN.Config(width=96, blocks=12, kernel=5, batch=128)),
    "pixelsnail-gpu": (PixelCNN, PixelCNN.Config(width=96, blocks=12, attention=4, batch=128)),
    "pixelrnn-diagonal-gpu": (PixelRNN, PixelRNN.Config(hidden=16, layers=7, batch=128)),
    "pixelrnn-row-gpu": (PixelRNN, PixelRNN.Config(version="row", hidden=16, layers=7, batch=128)),
}
EVERY = {**CPU, **GPU}


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--who", choices=list(EVERY), default="pixelcnn")
    flags.add_argument("--minutes", type=float, default=8.0)
    flags.add_argument("--slice", type=float, default=1e9, help="minutes of training in this call")
    flags.add_argument("--precision", choices=["bf16", "float32"], default="bf16")
    flags.add_argument("--folder", type=Path, default=Path("runs/binary-mnist"))
    asked = flags.parse_args()
    minutes = 0.05 if asked.quick else asked.minutes
    kind, config = EVERY[asked.who]
    settings = plausible.Settings(seed=asked.seed)  # for what is counted, not trained
    if kind is not NaiveBayes:
        settings = replace(settings, minutes=minutes, precision=asked.precision)
    name = f"{asked.who}-{minutes:g}-{asked.seed}{'-quick' if asked.quick else ''}"
    training = train_a_slice(
        asked.folder / name, kind.name, "mnist", config, settings, asked.slice, STATIC
    )
    test = training.data.heldout.rows(slice(0, 100 if asked.quick else None))
    rows = torch.arange(len(test)).split(500)
    said = LogProb.cat([training.averaged.log_prob(test.batch(some).x) for some in rows])
    mean = said.mean()
    row = {
        "who": asked.who,
        "minutes": round(training.seconds / 60, 2),
        "seed": asked.seed,
        "precision": settings.precision,
        "nats": -mean.nats.item(),
        "kind": (-mean.kind).sign,
        "stderr": mean.stderr.item(),
        "weights": sum(param.numel() for param in training.raw.parameters()),
        "images/s": training.clock.images / training.seconds,
    }
    same = ("who", "seed")
    record_row(__file__, row, same, "nats", seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
