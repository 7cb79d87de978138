"""How wide the networks of a GAN on images of 32 pixels and more should be for the minutes there are: widths at equal time of one core.

A wider generator and discriminator make more of each image and see fewer of them.  Each width learns for --core-minutes of one core's
own time, that is for as many updates as it plays in them, on tiles and signs in colour and Fashion-MNIST at 32 pixels; what it draws is
compared with the validation part: Frechet distance as a multiple of that between its halves, coverage, and how often a fresh critic is
right after at most 400 and 2,000 updates.  A row that is there is kept.

The held-out part is not looked at.  The data must be in $PLAUSIBLE_DATA.
"""

from dataclasses import replace

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import source
from experiments.equal_minutes import compared, drawn, judged
from experiments.slices import learned, updates_in

import plausible
from plausible.data.options import Options
from plausible.models import GAN
from plausible.tasks.eyes import eyes_of

SETS = ("tiles", "signs", "fashion-mnist")
WIDTHS = (12, 16, 24, 32)


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--core-minutes", type=float, nargs="*", default=[4, 16])
    flags.add_argument("--widths", type=int, nargs="*", default=list(WIDTHS))
    flags.add_argument("--sets", nargs="*", default=list(SETS), choices=SETS)
    asked = flags.parse_args()
    torch.set_num_threads(1)
    rows = [] if asked.quick else kept(__file__, quick=False)
    for budget in [0.01] if asked.quick else asked.core_minutes:
        for name in SETS[:1] if asked.quick else asked.sets:
            data = plausible.load(source(name), Options(size=32))
            few = 40 if asked.quick else 1000
            seen = replace(data, heldout=data.validation.rows(slice(0, few)))  # chosen by
            n = len(seen.heldout)
            eyes = eyes_of(seen, n, "auto", 0, lambda stage, share: None).embedding
            for width in [4, 8] if asked.quick else asked.widths:
                key = {"data": name, "core minutes": budget, "width": width, "seed": asked.seed}
                if any(key.items() <= row.items() for row in rows):
                    continue
                config = GAN.Config(architecture="antialiased", width=width)
                torch.manual_seed(asked.seed)
                steps = updates_in(budget, GAN(data.space, config), data)
                torch.manual_seed(asked.seed)
                averaged = learned(GAN(data.space, config), data, asked.seed, steps=steps)
                samples = drawn(averaged, None, 3 * n, asked.seed)
                found = judged(compared(samples, seen, eyes, asked.seed))
                rows.append({**key, "images": steps * averaged.batch, **found})
                print(rows[-1], flush=True)
                record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
