"""How a diffusion model should draw: by which method and how many evaluations of its network.

Each run that ``experiments.diffusion_images`` trained for --minutes draws from the same z by every solver; the way in 16
steps of the classical Runge-Kutta method, 64 evaluations, stands for the exact one.  Steps are as they are by default, shorter
where there is more noise, and for midpoint also equal:

error    root mean square difference to what the exact way draws, in levels of 255
Frechet  distance to one half of the held-out part over that of the other half, in the features of an evaluation

A row that is there is kept.  The data must be in $PLAUSIBLE_DATA.
"""

from itertools import product
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from experiments.diffusion_images import cases
from torch import Tensor

import plausible
from plausible.core.space import Batch
from plausible.evaluation.embedding import Embedding
from plausible.evaluation.metrics.distances import frechet
from plausible.models import Diffusion
from plausible.models.diffusion.config import SOLVER
from plausible.models.diffusion.path import Straight
from plausible.models.diffusion.solvers import evaluations_of, solvers, steps_of
from plausible.runs import Run
from plausible.tasks.eyes import eyes_of
from plausible.tasks.inputs import as_points

COUNTS = (1, 2, 4, 6, 8, 16)
STEPS = ("by noise", "equal")
_N, _CHUNK = 500, 125


class EqualSteps(Straight):
    """The same path in equal steps."""

    def grid(self, steps: int) -> Tensor:
        """From 1 to 0, (steps + 1,)."""
        return torch.linspace(1, 0, steps + 1)


@torch.no_grad()
def drawn(model: Any, z: Tensor, solver: str, evaluations: int, steps: str = STEPS[0]) -> Tensor:
    """(N, D) -> (N, *shape), from 0 to 1 and off the grid."""
    kind = Straight if steps == STEPS[0] else EqualSteps
    model.path = kind(model.path.deviation)
    with model.sampling(steps=steps_of(solver, evaluations), solver=solver):
        return torch.cat([model.decode(part) for part in z.split(_CHUNK)])


def distance(x: Tensor, data: plausible.Data, embedding: Embedding) -> float:
    """The mean of those of two halves, over that of held-out data."""
    n = len(x) // 2
    heldout = embedding.embed(data.heldout.rows(slice(0, 2 * n))).features.split(n)
    made = embedding.embed(as_points(Batch(data.space.quantise(x)), data.space)).features.split(n)
    return sum(frechet(a, b) for a, b in zip(made, heldout, strict=True)) / 2 / frechet(*heldout)


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--minutes", type=float, default=8.0, help="of the trainings")
    flags.add_argument("--folder", type=Path, default=Path("runs/diffusion_images"))
    asked = flags.parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    first = [
        case for case in cases(asked.minutes, 30.0) if case.kind == "diffusion" and not case.seed
    ]
    for case in first[:1] if asked.quick else first:
        folder = asked.folder / case.name
        if not asked.quick and not (folder / "weights.safetensors").exists():
            continue
        data = plausible.load(case.source, case.options)
        model = Diffusion(data.space).eval() if asked.quick else Run(folder).model()
        n = 40 if asked.quick else min(_N, len(data.heldout))
        embedding = eyes_of(data, n, "auto", 0, lambda stage, share: None).embedding
        z = model.latent(n, torch.Generator().manual_seed(asked.seed))  # type: ignore[attr-defined]
        exact = drawn(model, z, "rk4", 64)
        counts = COUNTS[:1] if asked.quick else COUNTS
        for solver, steps, count in product(solvers, STEPS, counts):
            key = {"run": case.name, "solver": solver, "steps": steps, "evaluations": count}
            if count % evaluations_of(solver) or any(key.items() <= row.items() for row in rows):
                continue
            if steps != STEPS[0] and solver != SOLVER:
                continue
            x = drawn(model, z, solver, count, steps)
            error = 255 * (x - exact).square().mean().sqrt().item()
            rows.append({**key, "error": error, "Frechet": distance(x, data, embedding)})
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
