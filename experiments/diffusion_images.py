"""Diffusion beside the default GAN on images, at equal minutes: how good, by how many evaluations, how fast.

Flow matching as it is by default learns each set for --minutes with three seeds, and the GAN with one; tiles and signs at
32 pixels and signs at 64 for 30 minutes with one.  Then it draws by 1, 2, 4, 16 and 64 evaluations of the network a
sample, and what it drew is compared with the held-out part, of which there are n:

Frechet      distance to one half of the held-out part over that of the other half, in the features of an evaluation
recall, coverage   of all held-out examples
critic 400, 2000   how often a fresh critic is right after so many updates, at most, about held-out images and samples
images/s     of training, and of drawing

Each training goes on where it stopped, and each row that is there is kept.  The data must be in $PLAUSIBLE_DATA.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from experiments.slices import train_a_slice

import plausible
from plausible.core.errors import UsageError
from plausible.core.model import Generative
from plausible.core.space import Batch
from plausible.data.options import Options
from plausible.data.source import resolve_source
from plausible.evaluation.critic.critic import WHOLE, make_critiques
from plausible.evaluation.embedding import Embedding
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.metrics.distances import frechet
from plausible.evaluation.metrics.neighbours import prdc
from plausible.models import GAN, Diffusion
from plausible.models.diffusion.solvers import steps_of
from plausible.tasks.eyes import eyes_of
from plausible.tasks.inputs import as_points

EVALUATIONS = (1, 2, 4, 16, 64)
MOST = 1000  # held-out images compared, at most; three times as many are drawn, for the critic to learn from


@dataclass(frozen=True)
class Case:
    """One training."""

    data: str
    size: int | None
    model: type[plausible.Model]
    minutes: float
    seed: int

    @property
    def name(self) -> str:
        """What names its folder and its rows."""
        side = f"-{self.size}" if self.size else ""
        return f"{self.data}{side}-{self.model.name}-{self.minutes:g}-{self.seed}"


def cases(minutes: float, long: float) -> list[Case]:
    """In the order in which they are made: the first seed of everything before the others."""
    sets: list[tuple[str, int | None]] = [("signs", 32), ("tiles", 32), ("mnist", None), ("fashion-mnist", None)]  # fmt: skip
    found = [Case(*one, Diffusion, minutes, 0) for one in sets]
    found += [Case(*one, GAN, minutes, 0) for one in sets]
    found += [Case(*one, Diffusion, long, 0) for one in [*sets[:2], ("signs", 64)]]
    return found + [Case(*one, Diffusion, minutes, seed) for seed in (1, 2) for one in sets]


def source(name: str) -> str:
    """A set by name, or a folder of pictures that lies beside them."""
    if name in ("tiles", "signs"):
        return str(resolve_source("mnist").path.parent / name)
    return name


def drawn(model: Any, evaluations: int | None, n: int, seed: int) -> tuple[Batch, float]:
    """n samples and how many came in a second; by so many evaluations of a diffusion model."""
    generator, began = torch.Generator().manual_seed(seed), time.monotonic()
    if evaluations is None:
        made = model.sample(n, generator=generator)
    else:
        solver = "euler" if evaluations == 1 else "midpoint"
        with model.sampling(steps=steps_of(solver, evaluations), solver=solver):
            made = model.sample(n, generator=generator)
    return made.to("cpu"), n / (time.monotonic() - began)


def judged(samples: Batch, data: plausible.Data, embedding: Embedding, seed: int) -> dict[str, Any]:
    """What an evaluation measures of these samples, as far as the columns go."""
    n = min(len(data.heldout), MOST)
    sides = data.train.frozen(0), data.heldout.rows(slice(0, n)), as_points(samples, data.space)
    train, heldout, made = (embedding.embed(part) for part in sides)
    evalset = EvaluationSet(
        data.space, train, heldout, made, embedding.names, embedding.labelled,
        embedding.extract, embedding.feature_description, seed=seed,
    )  # fmt: skip
    few = prdc(heldout.features, made[slice(0, n)].features)
    half, other = heldout[slice(0, n // 2)].features, heldout[slice(n // 2, None)].features
    looks = make_critiques(evalset, [WHOLE])[WHOLE]
    return {
        "Frechet": frechet(made[slice(0, n // 2)].features, half) / frechet(other, half),
        "recall": few.recall,
        "coverage": few.coverage,
        "critic 400": looks[0].accuracy,
        "critic 2000": looks[-1].accuracy,
        "n": n,
    }


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--minutes", type=float, default=8.0)
    flags.add_argument("--long", type=float, default=30.0, help="minutes of the long trainings")
    flags.add_argument("--slice", type=float, default=1e9, help="minutes of training in this call")
    flags.add_argument("--only", default="", help="rows whose name has this in it")
    flags.add_argument("--folder", type=Path, default=Path("runs/diffusion_images"))
    asked = flags.parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    todo = cases(0.02, 0.02)[:1] if asked.quick else cases(asked.minutes, asked.long)
    for case in todo:
        if asked.only not in case.name or any(row["run"] == case.name for row in rows):
            continue
        options = Options(size=case.size) if case.size else Options()
        try:
            data = plausible.load(source(case.data), options)
        except UsageError as refusal:
            print(f"skipped: {refusal}")
            continue
        training = train_a_slice(
            asked.folder / case.name, case.model.name, source(case.data), case.model.Config(),
            plausible.Settings(minutes=case.minutes, seed=case.seed), asked.slice, options,
        )  # fmt: skip
        model, clock = training.averaged.to("cpu"), training.clock
        assert isinstance(model, Generative)
        n = min(len(data.heldout), 40 if asked.quick else MOST)
        embedding = eyes_of(data, n, "auto", 0, lambda stage, share: None).embedding
        counts = EVALUATIONS[:2] if asked.quick else EVALUATIONS
        for count in counts if case.model is Diffusion else (None,):
            samples, speed = drawn(model, count, 3 * n, case.seed)
            found = judged(samples, data, embedding, case.seed)
            rows.append({
                "run": case.name, "data": case.data, "pixels": case.size or data.space.shape[-1],
                "model": case.model.name, "minutes": case.minutes, "seed": case.seed,
                "evaluations": count or 1, **found, "updates": clock.step,
                "images/s, training": clock.images / training.seconds, "images/s, drawing": speed,
            })  # fmt: skip
            print(rows[-1], flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
