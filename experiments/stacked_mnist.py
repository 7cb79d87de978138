"""Stacked MNIST: three digits as the three channels of an image, 1,000 modes (Metz et al. 2017).

How many of the 1,000 combinations are among 26,000 samples, and the reverse KL divergence
sum_k q_k log(q_k / p_k) of their shares q from p, the product of the real digit shares; a digit is what
a classifier of real MNIST digits takes a channel for.  A perfect generator has 1,000 modes and a
divergence of 0.0193 at this number of samples.  Training stops after --slice minutes and the same
command goes on, until --minutes are spent; then it is judged.  MNIST must be in $PLAUSIBLE_DATA/mnist.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from benchmarks.gan_classifier import trained_classifier
from benchmarks.record import kept, parser, record
from experiments.slices import train_a_slice

import plausible
from plausible.data.part import Data, Part
from plausible.models.discriminative import ConvNet

MODES = 1000
SAMPLES = 26_000
IMAGES = 128_000


def stacked(part: Part, n: int, seed: int) -> np.ndarray:
    """n images of three digits of the part, drawn with replacement: (n, 3, 28, 28) uint8."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(part), (n, 3), generator=generator)
    return part.values[rows].squeeze(2).numpy()  # (n, 3, 1, 28, 28) -> (n, 3, 28, 28)


def source(mnist: Data, folder: Path, n: int, seed: int) -> str:
    """The path of the data set, written if it is not there yet."""
    path = folder / f"stacked-mnist-{n}-{seed}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, stacked(mnist.train, n, seed))
    return str(path)


@torch.no_grad()
def modes(x: torch.Tensor, classifier: ConvNet) -> torch.Tensor:
    """Which of the 1,000 combinations each image is: (N, 3, 28, 28) in [0, 1] -> (N,)."""
    parts = (
        part.reshape(-1, 1, 28, 28) for part in x.split(2000)
    )  # (n, 3, 28, 28) -> (3 n, 1, 28, 28)
    digits = [classifier.log_posterior(part).argmax(1) for part in parts]
    place = torch.tensor([100, 10, 1], device=digits[0].device)
    return (torch.cat(digits).view(-1, 3) * place).sum(1)  # (3 N,) -> (N, 3) -> (N,)


def reverse_kl(found: torch.Tensor, shares: torch.Tensor) -> tuple[int, float]:
    """Modes found, and KL(q, p) in nats from found (N,) and the real digit shares (10,)."""
    q = torch.bincount(found.cpu(), minlength=MODES).double()
    q = q / q.sum()
    p = torch.einsum("i,j,k->ijk", *[shares.double()] * 3).reshape(-1)  # (10, 10, 10) -> (1000,)
    there = q > 0
    return int(there.sum()), float((q[there] * (q[there] / p[there]).log()).sum())


def configuration(preset: str) -> plausible.GAN.Config:
    """The default, or the preset that R3GAN's paper gives for Stacked MNIST."""
    if preset == "default":
        return plausible.GAN.Config(augment=())
    return plausible.GAN.presets[preset].config


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--preset", choices=["default", "r3gan"], default="default")
    flags.add_argument("--minutes", type=float, default=None, help="25 on a GPU, otherwise 30")
    flags.add_argument("--slice", type=float, default=9.0, help="minutes of training in this call")
    flags.add_argument("--folder", type=Path, default=Path("runs/stacked-mnist"))
    asked = flags.parse_args()
    minutes = asked.minutes or (25 if torch.cuda.is_available() else 30)
    minutes = 0.2 if asked.quick else minutes
    images, samples = (2_000, 1_000) if asked.quick else (IMAGES, SAMPLES)
    mnist = plausible.load("mnist")
    classifier, accuracy = trained_classifier(mnist, quick=asked.quick)
    path = source(mnist, asked.folder, images, asked.seed)
    name = f"{asked.preset}-{minutes:g}-{asked.seed}{'-quick' if asked.quick else ''}"
    settings = plausible.Settings(minutes=minutes, seed=asked.seed)
    training = train_a_slice(
        asked.folder / name, "gan", path, configuration(asked.preset), settings, asked.slice
    )
    shares = torch.bincount(mnist.train.y, minlength=10) / len(mnist.train)
    real = torch.from_numpy(stacked(mnist.heldout, samples, asked.seed + 1)).float() / 255
    x = training.averaged.sample(samples, generator=torch.Generator().manual_seed(asked.seed)).x
    rows = []
    for who, points in (("real test digits", real), (asked.preset, x)):
        found, divergence = reverse_kl(modes(points.cpu(), classifier), shares)
        rows.append({"who": who, "modes": found, "reverse KL": divergence, "samples": samples})
    rows[1] |= {
        "minutes": round(training.seconds / 60, 2),
        "steps": training.clock.step,
        "images/s": training.clock.images / training.seconds,
    }
    rows[0] |= dict.fromkeys(("minutes", "steps", "images/s"), "")
    notes = f"classifier: {accuracy:.2%} of MNIST's test digits right; config {asdict(training.raw.config)}"
    names = {row["who"] for row in rows}
    rows += [row for row in kept(__file__, quick=asked.quick) if row["who"] not in names]
    record(__file__, rows, seed=asked.seed, quick=asked.quick, notes=notes)


if __name__ == "__main__":
    main()
