"""Nats against minutes for the variational family: the importance bound of -log p on binarised MNIST.

Binarisation is dynamic: each pixel is drawn anew at every use, 1 with its grey value as probability, as in
the published figures of VAE and IWAE; the test images are drawn once, with the library's seed.  Never
compare with figures of static binarisation.  The bound is by 5,000 draws of z for each image: of the 10,000
test images on a GPU, of a seeded 1,000 of them without one; the standard error is over images and draws.
ELBO is the same with one draw.  The bound of the VQ-VAE needs no draws.  Training stops after --slice minutes and the same command goes on; every
finished one is a row.  Those that end in -gpu are for a GPU.  MNIST must be in $PLAUSIBLE_DATA/mnist.
"""

from pathlib import Path
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from experiments.slices import train_a_slice

import plausible
from plausible.core.likelihood import LogProb
from plausible.core.verbs import Variational

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
    name = f"{asked.who}-{minutes:g}-{asked.seed}{'-quick' if asked.quick else ''}"
    config = WHO[asked.who]
    kind = plausible.VQVAE if isinstance(config, plausible.VQVAE.Config) else plausible.VAE
    training = train_a_slice(
        asked.folder / name, kind.name, "mnist", config, settings, asked.slice, DYNAMIC
    )
    model, test = training.averaged, training.data.heldout
    gpu = torch.cuda.is_available()
    n, draws = (20, 200) if asked.quick else (len(test) if gpu else 1000, DRAWS)
    order = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))[:n]
    x = test.everything(0).x[order.to(training.device)]  # drawn once
    said, one = scored(model, x, draws, asked.seed), scored(model, x, 1, asked.seed)
    kl = None
    if isinstance(model, Variational):
        kl = model.posterior(x, generator=torch.Generator().manual_seed(asked.seed)).kl  # (n, d)
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
    before = [] if asked.quick else kept(__file__, quick=False)
    same = ("who", "seed", "gpu")
    other = [
        r
        for r in before
        if any(r[key] != row[key] for key in same) or abs(r["minutes"] - row["minutes"]) > 1
    ]
    rows = sorted([*other, row], key=lambda r: (r["gpu"], r["nats"]))
    record(__file__, rows, seed=asked.seed, quick=asked.quick)


def scored(model: Any, x: torch.Tensor, draws: int, seed: int) -> LogProb:
    """The mean of the bound of log p(x) by so many draws each, with its error."""
    generator, parts = torch.Generator().manual_seed(seed), []
    for some in x.split(100):
        parts.append(model.log_prob(some, samples=draws, generator=generator))
        done = sum(len(part.nats) for part in parts)
        print(f"scored {done:,} of {len(x):,} by {draws:,} draws", flush=True)
    return LogProb.cat(parts).mean()


if __name__ == "__main__":
    main()
