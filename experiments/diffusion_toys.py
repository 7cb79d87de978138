"""How near the density of a diffusion model comes to the truth, where the truth is known: toys in the plane.

Each toy is learned for --minutes by one thread.  The probability-flow ODE then tells log p of held-out points, and

gap      E[log p(x) - log p_model(x)], which is the Kullback-Leibler divergence from the model to the truth, in nats
stderr   of that mean over the points

by the exact divergence.  A row that is there is kept.
"""

import torch
from benchmarks.record import kept, parser, record
from experiments.slices import learned

import plausible
from plausible.data.toys import toys
from plausible.models import Diffusion

SETS = ("moons", "ring", "spiral")
_POINTS = 1000


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--minutes", type=float, default=3.0)
    asked = flags.parse_args()
    torch.set_num_threads(1)
    minutes = 0.02 if asked.quick else asked.minutes
    rows = [] if asked.quick else kept(__file__, quick=False)
    for name in SETS[:1] if asked.quick else SETS:
        key = {"data": name, "minutes": minutes}
        if any(key.items() <= row.items() for row in rows):
            continue
        data = plausible.load(name)
        torch.manual_seed(asked.seed)
        model = learned(Diffusion(data.space), data, asked.seed, minutes=minutes)
        x = data.heldout.as_batch().x[: 50 if asked.quick else _POINTS]
        gap = toys[name]().log_prob(x).nats - model.log_prob(x).nats
        error = gap.std().item() / len(gap) ** 0.5
        rows.append({**key, "gap": gap.mean().item(), "stderr": error, "points": len(gap)})
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
