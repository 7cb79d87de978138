"""Bits per dimension: the 17-level digits, the 256-level Fashion-MNIST, and tiles in colour at 32 pixels.

floor        no code that treats pixels as independent can do better on these very test images: the mean
             over pixels of the entropy of their own histogram.
naive-bayes  independent pixels, learned from the training part; given the class, and without it.
pixelcnn     on the digits 1,500 steps with half of the units dropped, because 1,168 images are few; on
             Fashion-MNIST and tiles the default for --minutes.  In bf16.
vae, vq-vae  the defaults, 1,500 steps on the digits, --minutes on the others, in bf16.  Their bits are
             bounds from above; the VAE's by 1,000 draws of z for each of a seeded 1,000 images.
diffusion    the default for as long, in float32; a bound by 32 draws of noise for each of those images.
flow         of couplings, and patch by patch: the defaults for as long, in float32; a bound by 64 draws of the place
             in its level for each of those images.

A minute is one of two cores: with one thread (OMP_NUM_THREADS=1) a training takes twice as long.  Bits are
-log2 p(x) / D of the test images, a mass on the levels, with standard errors.  A row that is there is kept.
The data must be in $PLAUSIBLE_DATA.
"""

import math
from dataclasses import replace
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import source
from experiments.slices import learned

import plausible
from plausible.core.likelihood import LogProb
from plausible.data.options import Options
from plausible.data.part import Data, Part
from plausible.models import VAE, VQVAE, Diffusion, Flow, NaiveBayes, PixelCNN

SETS = ["digits", "fashion-mnist", "tiles"]
MODELS = ["floor", "naive-bayes", "naive-bayes, given the class", "pixelcnn", "vae", "vq-vae", "diffusion", "flow", "flow, patches"]  # fmt: skip
FLOWS = {"flow": "coupling", "flow, patches": "patches"}
DRAWS: dict[type[Any], int] = {
    VAE: 1000,
    Diffusion: 32,
    Flow: 64,
}  # for each image, where log p(x) is bounded
_CHOSEN = 1000  # images of which a bound is estimated


def floor(part: Part) -> tuple[float, float]:
    """(1/D) sum_i H_i in bits, H_i the entropy of pixel i's histogram, and its standard error.

    The error is that of the mean code length of an image under these histograms.
    """
    codes = part.values.flatten(1).long()  # (N, D)
    levels = part.space.levels or 256
    share = torch.zeros(codes.shape[1], levels, dtype=torch.float64)
    share.scatter_add_(1, codes.T, torch.ones(codes.T.shape, dtype=torch.float64))
    share /= len(codes)
    length = -share.T.gather(0, codes).log2().mean(1)  # (levels, D) at (N, D) -> (N,)
    return length.mean().item(), (length.std() / len(length) ** 0.5).item()


def score(model: Any, data: Data) -> tuple[float, float]:
    """Bits per dimension of the held-out images, and the standard error."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.arange(len(data.heldout))
    draws = DRAWS.get(type(model))
    if draws is not None:
        rows = torch.randperm(len(rows), generator=generator)[:_CHOSEN]
    said = LogProb.cat(
        [
            model.log_prob(data.heldout.batch(some).x, samples=draws, generator=generator)
            for some in rows.split(250)
        ]
    ).mean()
    scale = data.space.dims * math.log(2)
    assert said.stderr is not None
    return -said.nats.item() / scale, said.stderr.item() / scale


def bits(who: str, data: Data, seed: int, minutes: float) -> tuple[float, float]:
    """Bits per dimension and standard error of one row."""
    if who == "floor":
        return floor(data.heldout)
    torch.manual_seed(seed)
    if who == "pixelcnn":
        few = data.name == "digits"
        model = PixelCNN(data.space, PixelCNN.Config(dropout=0.5 if few else 0.0))
        budget = {"steps": int(300 * minutes)} if few else {"minutes": minutes}
        return score(learned(model, data, seed, precision="bf16", **budget), data)
    if who in ("vae", "vq-vae"):
        kind = VAE if who == "vae" else VQVAE
        budget = {"steps": int(300 * minutes)} if data.name == "digits" else {"minutes": minutes}
        model = learned(kind(data.space), data, seed, precision="bf16", **budget)
        return score(model, data)
    if who == "diffusion":
        budget = {"steps": int(300 * minutes)} if data.name == "digits" else {"minutes": minutes}
        return score(learned(Diffusion(data.space), data, seed, **budget), data)
    if who in FLOWS:
        budget = {"steps": int(300 * minutes)} if data.name == "digits" else {"minutes": minutes}
        flow = Flow(data.space, Flow.Config(architecture=FLOWS[who]))
        return score(learned(flow, data, seed, **budget), data)
    config = NaiveBayes.Config(conditional=who.endswith("class"))
    return score(learned(NaiveBayes(data.space, config), data, seed), data)


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--minutes", type=float, default=8.0)
    flags.add_argument("--models", nargs="*", default=MODELS, help="only these rows")
    asked = flags.parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    for name in SETS[:1] if asked.quick else SETS:
        options = Options(size=32) if name == "tiles" else Options()
        data = plausible.load(source(name), options)
        if asked.quick:
            train, heldout = (
                part.rows(slice(0, n)) for part, n in ((data.train, 500), (data.heldout, 20))
            )
            data = replace(data, train=train, heldout=heldout)
        minutes = 5.0 if name == "digits" else asked.minutes * 2 / torch.get_num_threads()
        minutes = 0.05 if asked.quick else minutes
        for who in asked.models:
            if any((row["data"], row["model"]) == (name, who) for row in rows):
                continue
            if asked.quick and who == "vq-vae":  # whose codes are learned for a minute
                continue
            if who.endswith("class") and not data.space.classes:
                continue
            value, error = bits(who, data, asked.seed, minutes)
            row = {"data": name, "model": who, "bits/dim": value, "stderr": error}
            rows.append(row)
            record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
