"""From an image back to the z of a GAN: how much of it comes back, by several starts or one, with the prior of z or without.

A GAN learns each set for so many rounds, then z is searched for of --images of its own samples and of as many held-out images:

rms       root mean square difference to what comes back, in levels of 255: mean over images, and the largest
|z|/sqrt(d)  mean over images; 1 is what z ~ N(0, I) has

A row that is there is kept.  The data must be in $PLAUSIBLE_DATA.
"""

from dataclasses import replace

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import source
from experiments.slices import learned
from torch import Tensor

import plausible
from plausible.models import GAN
from plausible.models.gan.inversion import SEARCH, invert
from plausible.models.gan.straight_through import quantise_straight_through

SETS = ("mnist", "tiles")
WAYS = {
    "as by default": SEARCH,
    "one start": replace(SEARCH, starts=1),
    "without prior": replace(SEARCH, prior=0.0),
}


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--rounds", type=int, default=2000)
    flags.add_argument("--images", type=int, default=16)
    asked = flags.parse_args()
    rounds, n = (2, 2) if asked.quick else (asked.rounds, asked.images)
    rows = [] if asked.quick else kept(__file__, quick=False)
    for name in SETS[:1] if asked.quick else SETS:
        if any(row["data"] == name and row["rounds"] == rounds for row in rows):
            continue
        data = plausible.load(source(name))
        torch.manual_seed(asked.seed)
        model = learned(GAN(data), data, asked.seed, steps=rounds).eval()
        generator = torch.Generator().manual_seed(asked.seed)
        sides = {
            "its own samples": model.sample(n, generator=generator).x,
            "held-out images": data.heldout.batch(slice(0, n)).x,
        }
        pool = model.latent(SEARCH.pool, generator)

        def draw(z: Tensor, model: GAN = model) -> Tensor:
            return quantise_straight_through(model.generator(z), model.space.levels or 256)

        for who, x in sides.items():
            for way, search in WAYS.items():
                if asked.quick:
                    search = replace(search, pool=8, steps=2, last=2)
                with torch.no_grad():
                    z, _ = invert(draw, model.standardise(x), pool[: search.pool], search)
                    back = model.space.quantise(model.decode(z))
                rms = 255 * (back - x).square().flatten(1).mean(1).sqrt()  # (n,)
                length = z.norm(dim=1).mean().item() / z.shape[1] ** 0.5
                rows.append({
                    "data": name, "rounds": rounds, "images": who, "search": way, "n": n,
                    "rms": rms.mean().item(), "largest rms": rms.max().item(), "|z|/sqrt(d)": length,
                })  # fmt: skip
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
