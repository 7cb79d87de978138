"""From an image back to the z of a GAN: how much of it comes back, by several starts, one or a learned one, with the prior of z or without.

A GAN learns each set for so many rounds, then z is searched for of --images of its own samples and of as many held-out images.  A
learned start is what a network says that is built like D and has learned z of G(z) for --encoder updates:

rms       root mean square difference to what comes back, in levels of 255: mean over images, and the largest
|z|/sqrt(d)  mean over images; 1 is what z ~ N(0, I) has

Rows of a set are kept where all are there.  The data must be in $PLAUSIBLE_DATA.
"""

from dataclasses import replace

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import source
from experiments.slices import learned
from torch import Tensor, nn
from torch.nn.functional import mse_loss

import plausible
from plausible.core.optimizers import Adam
from plausible.core.schedule import at, cosine
from plausible.models import GAN
from plausible.models.gan.game import trunks_of
from plausible.models.gan.inversion import SEARCH, Draw, invert
from plausible.models.gan.straight_through import quantise_straight_through

SETS = ("mnist", "tiles")
WAYS = {
    "as by default": SEARCH,
    "one start": replace(SEARCH, starts=1),
    "without prior": replace(SEARCH, prior=0.0),
}
_SAID = replace(SEARCH, starts=1, steps=0, last=0)
LEARNED = {
    "one learned start": replace(_SAID, last=SEARCH.steps + SEARCH.last),
    "one learned start, a sixth of the steps": replace(_SAID, last=SEARCH.steps),
    "the learned start alone": _SAID,
}
_BATCH, _LR = 64, 1e-3


def encoder(model: GAN, draw: Draw, updates: int, generator: torch.Generator) -> nn.Module:
    """E with least E |E(G(z)) - z|^2: (N, *shape) in standard units -> (N, latent)."""
    trunks, d = trunks_of(model.space, model.config), model.config.latent
    network = nn.Sequential(trunks.discriminator, nn.Linear(trunks.features, d))
    optimizer, falling = Adam(network.parameters(), _LR), cosine(_LR, 0.0)
    for update in range(updates):
        z = model.latent(_BATCH, generator)
        with torch.no_grad():
            x = draw(z)
        for group in optimizer.param_groups:
            group["lr"] = at(falling, update / updates)
        optimizer.zero_grad()
        mse_loss(network(x), z).backward()
        optimizer.step()
    return network.eval()


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--rounds", type=int, default=2000)
    flags.add_argument("--images", type=int, default=16)
    flags.add_argument("--encoder", type=int, default=2000, help="updates of the learned start")
    asked = flags.parse_args()
    rounds, n = (2, 2) if asked.quick else (asked.rounds, asked.images)
    rows = [] if asked.quick else kept(__file__, quick=False)
    for name in SETS[:1] if asked.quick else SETS:
        own = [row for row in rows if (row["data"], row["rounds"]) == (name, rounds)]
        if {row["search"] for row in own} == {*WAYS, *LEARNED}:
            continue
        rows = [row for row in rows if row not in own]
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

        inverse = encoder(model, draw, 2 if asked.quick else asked.encoder, generator)
        for who, x in sides.items():
            for way, search in (WAYS | LEARNED).items():
                if asked.quick:
                    search = replace(search, pool=8, steps=2, last=2)
                with torch.no_grad():
                    seen = model.standardise(x)
                    begins = inverse(seen) if way in LEARNED else pool[: search.pool]
                    z, _ = invert(draw, seen, begins, search)
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
