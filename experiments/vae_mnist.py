"""Nats against minutes for the variational family: the importance bound of -log p on binarised MNIST.

Binarisation is dynamic: each pixel is drawn anew at every use, 1 with its grey value as probability, as in
the published figures of VAE and IWAE; the test images are drawn once, with the library's seed.  Never
compare with figures of static binarisation.  The bound is by 5,000 draws of z for each image: of the 10,000
test images on a GPU, of a seeded 1,000 of them without one; the standard error is over images and draws.
ELBO is the same with one draw.  The bound of the VQ-VAE needs no draws.  Training and scoring stop after
--slice minutes and the same command goes on; every finished one is a row.  Those that end in -gpu are for a
GPU.  MNIST must be in $PLAUSIBLE_DATA/mnist.
"""

import sys
import time
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import parser, record_row
from experiments.slices import train_a_slice

import plausible
from plausible.core.capabilities import Variational
from plausible.core.likelihood import Kind, LogProb

DYNAMIC = plausible.Options(binarise="dynamic")
VAE = plausible.VAE.Config
WHO: dict[str, Any] = {
    "mlp": VAE(architecture="mlp"),
    "conv": VAE(),
    "conv-two-layers": VAE(layers=2),
    "residual": VAE(architecture="residual", width=32, batch=64),
    "vq-vae": plausible.VQVAE.Config(),
    "conv-gpu": VAE(width=32, blocks=3, dropout=0.1),
    "conv-iwae-50-gpu": VAE(width=32, importance=50),
    "conv-two-layers-iwae-50-gpu": VAE(width=32, layers=2, importance=50),
    "residual-gpu": VAE(
        architecture="residual", width=96, layers=16, blocks=3, batch=256, dropout=0.1,
        largest_gradient=200.0,
    ),
}  # fmt: skip
DRAWS = 5000


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--who", choices=list(WHO), default="conv")
    flags.add_argument("--minutes", type=float, default=8.0)
    flags.add_argument("--slice", type=float, default=1e9, help="minutes of training in this call")
    flags.add_argument("--precision", choices=["bf16", "float32"], default="bf16")
    flags.add_argument("--folder", type=Path, default=Path("runs/vae-mnist"))
    asked = flags.parse_args()
    minutes = 0.1 if asked.quick else asked.minutes
    settings = plausible.Settings(minutes=minutes, seed=asked.seed, precision=asked.precision)
    name = (
        f"{asked.who}-{minutes:g}-{asked.precision}-{asked.seed}{'-quick' if asked.quick else ''}"
    )
    config = WHO[asked.who]
    kind = plausible.VQVAE if isinstance(config, plausible.VQVAE.Config) else plausible.VAE
    began = time.perf_counter()
    training = train_a_slice(
        asked.folder / name, kind.name, "mnist", config, settings, asked.slice, DYNAMIC
    )
    model, test = training.averaged, training.data.heldout
    gpu = torch.cuda.is_available()
    n, draws = (10, 50) if asked.quick else (len(test) if gpu else 1000, DRAWS)
    order = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))[:n]
    x = test.as_batch(0).x[order.to(training.device)]  # drawn once
    folder = asked.folder / name
    left = asked.slice - (time.perf_counter() - began) / 60
    one = scored(model, x, 1, asked.seed, folder, left)
    said = scored(model, x, draws, asked.seed, folder, left)
    kl = None
    if isinstance(model, Variational):
        generator = torch.Generator().manual_seed(asked.seed)
        kl = torch.cat([model.posterior(some, generator=generator).kl for some in x.split(500)])
    assert said.stderr is not None
    row = {
        "who": asked.who,
        "minutes": round(training.seconds / 60, 2),
        "seed": asked.seed,
        "precision": asked.precision,
        "gpu": torch.cuda.get_device_name() if gpu else "",
        "nats": -said.nats.item(),
        "stderr": said.stderr.item(),
        "ELBO": -one.nats.item(),
        "KL": "" if kl is None else kl.sum(1).mean().item(),
        "active": "" if kl is None else int((kl.mean(0) > 0.01).sum()),
        "test images": n,
        "weights": sum(param.numel() for param in training.raw.parameters()),
        "images/s": training.clock.images / training.seconds,
    }
    same = ("who", "seed", "gpu", "precision")
    record_row(__file__, row, same, "nats", seed=asked.seed, quick=asked.quick)


def scored(
    model: Any, x: torch.Tensor, draws: int, seed: int, folder: Path, minutes: float
) -> LogProb:
    """The mean of the bound of log p(x) by so many draws each, with its error.

    A hundred images at a time, each kept in the folder; exits with 3 when the minutes are over.
    """
    until, parts = time.perf_counter() + 60 * minutes, []
    for number, some in enumerate(x.split(100)):
        path = folder / f"score-{draws}-{len(x)}-{seed}-{number}.pt"
        if not path.exists():
            if time.perf_counter() > until:
                print("scoring goes on when the same command is given again")
                sys.exit(3)
            generator = torch.Generator().manual_seed(seed + number)
            said = model.log_prob(some, samples=draws, generator=generator)
            torch.save((said.nats.cpu(), None if said.stderr is None else said.stderr.cpu()), path)
            print(
                f"{100 * number + len(some):,} of {len(x):,} scored by {draws:,} draws", flush=True
            )
        nats, stderr = torch.load(path, weights_only=True)
        parts.append(LogProb(nats, Kind.LOWER, stderr=stderr))
    return LogProb.cat(parts).mean()


if __name__ == "__main__":
    main()
