"""How wide the network of a diffusion model should be for the minutes there are: widths at equal time of one core.

A wider network makes more of each image and sees fewer of them, so which is best depends on the time and on the machine's speed.  Each
width learns for --core-minutes of one core's own time, that is for as many updates as it plays in them, on tiles and signs in colour,
Fashion-MNIST, and MNIST, on which nothing is chosen; the loss is that of ``diffusion_defaults``, of the validation part.  A row that is
there is kept.

The held-out part is not looked at.  The data must be in $PLAUSIBLE_DATA.
"""

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import FOLDERS, source
from experiments.diffusion_defaults import SETS, validation_loss
from experiments.slices import learned, updates_in

import plausible
from plausible.data.options import Options
from plausible.models import Diffusion

WIDTHS = (24, 32, 48, 64, 96)


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--core-minutes", type=float, nargs="*", default=[1, 4])
    flags.add_argument("--widths", type=int, nargs="*", default=list(WIDTHS))
    asked = flags.parse_args()
    torch.set_num_threads(1)
    rows = [] if asked.quick else kept(__file__, quick=False)
    minutes = [0.01] if asked.quick else asked.core_minutes
    for budget in minutes:
        for name in SETS[:1] if asked.quick else SETS:
            options = Options(size=32) if name in FOLDERS else Options()
            data = plausible.load(source(name), options)
            for width in [8, 16] if asked.quick else asked.widths:
                key = {"data": name, "core minutes": budget, "width": width}
                if any(key.items() <= row.items() for row in rows):
                    continue
                config = Diffusion.Config(width=width)
                torch.manual_seed(asked.seed)
                steps = updates_in(budget, Diffusion(data.space, config), data)
                torch.manual_seed(asked.seed)
                model = Diffusion(data.space, config)
                averaged = learned(model, data, asked.seed, steps=steps)
                loss, images = validation_loss(averaged, data), steps * model.batch
                rows.append({**key, "images": images, "validation loss": loss})
                print(rows[-1], flush=True)
                record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
