"""Generative stochastic networks on MNIST: the legacy Parzen number of the papers, and a Frechet distance.

They learn MNIST with its grey values as probabilities (dynamic binarisation).  Chains begin at noise, never
at an image, walk until they agree, and give 10,000 samples an autocorrelation time apart; a sample is the mean
E[x' | h] of one more step, as in the papers.

parzen      legacy: mean log density in nats of the 10,000 grey test images under Gaussian kernels on the
            samples, their width chosen on 1,000 validation images.  Published: GSN 214, DBN 138, GAN 225;
            k-means centres score above real images, so nobody should rank models by it.
train       the same with 10,000 training images in the place of samples.
frechet     distance of 5,000 samples to test images in the features of the reference classifier, over that
            of real images; 1 is as good as real.
steps, tau  until the chains agreed (R-hat beside it), and the autocorrelation time.

Training stops after --slice minutes and the same command goes on.  MNIST must be in $PLAUSIBLE_DATA/mnist.
"""

import math
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import parser, record_row
from experiments.slices import train_a_slice

import plausible
from plausible.evaluation.metrics.likelihood import parzen

GSN = plausible.GSN.Config
WHO: dict[str, Any] = {"mlp": GSN(), "conv": GSN(architecture="conv")}
DYNAMIC = plausible.Options(binarise="dynamic")
WIDTHS = [0.12, 0.14, 0.16, 0.18, 0.2, 0.22, 0.25, 0.3]


def legacy(samples: torch.Tensor, grey: plausible.Data, n: int) -> tuple[float, float, float]:
    """Mean log density of the held-out images, its standard error, and the width."""
    known = grey.validation.batch(slice(0, min(n, 1000))).x.flatten(1)
    test = grey.heldout.batch(slice(0, n)).x.flatten(1)
    made = samples.flatten(1)
    sigma = max(WIDTHS, key=lambda width: parzen(made, known, width).mean().item())
    nats = parzen(made, test, sigma)
    return nats.mean().item(), (nats.std() / math.sqrt(len(nats))).item(), sigma


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--who", choices=list(WHO), default="mlp")
    flags.add_argument("--minutes", type=float, default=10.0)
    flags.add_argument("--slice", type=float, default=1e9, help="minutes of training in this call")
    flags.add_argument("--precision", choices=["bf16", "float32"], default="bf16")
    flags.add_argument("--folder", type=Path, default=Path("runs/gsn-mnist"))
    asked = flags.parse_args()
    minutes, n = (0.1, 200) if asked.quick else (asked.minutes, 10_000)
    name = (
        f"{asked.who}-{minutes:g}-{asked.precision}-{asked.seed}{'-quick' if asked.quick else ''}"
    )
    settings = plausible.Settings(minutes=minutes, seed=asked.seed, precision=asked.precision)
    training = train_a_slice(
        asked.folder / name, "gsn", "mnist", WHO[asked.who], settings, asked.slice, DYNAMIC
    )
    model, grey = training.averaged, plausible.load("mnist")
    generator = torch.Generator().manual_seed(asked.seed)
    states = model.sample(n, generator=generator).x
    there = torch.Generator(states.device).manual_seed(asked.seed)
    means = torch.cat([model.denoised(x, generator=there).cpu() for x in states.split(500)])
    mixing = model.mixing
    assert mixing is not None
    nats, error, sigma = legacy(means, grey, n)
    real, _, _ = legacy(grey.train.batch(slice(0, n)).x, grey, n)
    report = plausible.evaluate(plausible.Batch(grey.space.quantise(means)), grey, n=min(n, 5000))
    distance, same = report["Frechet distance"], report.real("Frechet distance")
    assert distance.value is not None
    assert same is not None
    assert same.value is not None
    row: dict[str, Any] = {
        "who": asked.who, "minutes": round(training.seconds / 60, 2), "seed": asked.seed,
        "precision": asked.precision,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        "parzen": nats, "stderr": error, "sigma": sigma, "train": real,
        "frechet": distance.value / same.value, "steps": mixing.steps, "R-hat": mixing.r_hat,
        "tau": mixing.tau, "images/s": training.clock.images / training.seconds,
    }  # fmt: skip
    same = ("who", "seed", "gpu", "precision")
    record_row(__file__, row, same, "frechet", seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
