"""How a diffusion model spends a number of images: in batches of which size, at which learning rate, by a network of which width.

Each choice learns from the same --images of tiles and signs in colour, of Fashion-MNIST, and of MNIST, on which nothing was chosen; the loss of
the validation part, by the averaged weights, is that of the game: E |F - target|^2 a coordinate, at the same noise for all (times that are
spread evenly, eight draws of everything).  One thread, so that rows can be made beside other work.  A row that is there is kept.

The held-out part is not looked at.  The data must be in $PLAUSIBLE_DATA.
"""

import time
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import FOLDERS, source
from experiments.slices import learned

import plausible
from plausible.core.game import Clock
from plausible.data.options import Options
from plausible.models import Diffusion

SETS = ("signs", "tiles", "fashion-mnist", "mnist")
CHOICES: list[dict[str, Any]] = [
    *({"batch": batch, "lr": 2e-3} for batch in (64, 32, 16, 8)),
    *({"batch": 16, "lr": lr} for lr in (1e-3, 4e-3)),
    *({"batch": 16, "lr": 2e-3, "width": width} for width in (32, 64)),
]
_DRAWS, _EXAMPLES = 8, 200


@torch.no_grad()
def validation_loss(model: Diffusion, data: plausible.Data) -> float:
    """Of at most 200 examples, by the same noise for every model."""
    batch = data.validation.rows(slice(0, _EXAMPLES)).as_batch()
    losses = []
    with torch.random.fork_rng(devices=[]), model.evaluating():
        for draw in range(_DRAWS):
            torch.manual_seed(draw)
            losses.append(model.loss(batch, Clock()).total)
    return torch.stack(losses).mean().item()


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--images", type=int, default=16_000)
    asked = flags.parse_args()
    torch.set_num_threads(1)
    images = 320 if asked.quick else asked.images
    rows = [] if asked.quick else kept(__file__, quick=False)
    for name in SETS[:1] if asked.quick else SETS:
        options = Options(size=32) if name in FOLDERS else Options()
        data = plausible.load(source(name), options)
        for choice in CHOICES[:2] if asked.quick else CHOICES:
            key = {"data": name, "images": images, "width": 48, **choice}
            if any(key.items() <= row.items() for row in rows):
                continue
            torch.manual_seed(asked.seed)
            model, began = Diffusion(data.space, Diffusion.Config(**choice)), time.process_time()
            averaged = learned(model, data, asked.seed, steps=images // choice["batch"])
            speed = images / (time.process_time() - began)
            rows.append({**key, "validation loss": validation_loss(averaged, data), "images/s of a core": speed})  # fmt: skip
            record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
