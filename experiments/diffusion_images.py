"""Diffusion beside the default GAN on images, at equal minutes: how good, by how many evaluations, how fast.

Flow matching as it is by default learns each set for --minutes with three seeds, the GAN and average velocities (MeanFlow)
with one; tiles and signs at 32 pixels and signs at 64 for 30 minutes with one.  Then it draws by 1, 2, 4, 16 and 64
evaluations of the network a sample (other seeds by 16, average velocities by 1, 2 and 4), and what it drew is compared
with the held-out part, of which there are n:

Frechet      distance to one half of the held-out part over that of the other half, in the features of an evaluation
recall, coverage   of all held-out examples
critic 400, 2000   how often a fresh critic is right after so many updates, at most, about held-out images and samples
images/s     of training, and of drawing, on idle cores

A minute is as many updates as idle cores play in it, which ``python -m benchmarks.learning_speed`` has measured before.
Each training goes on where it stopped, and each row that is there is kept.  The data must be in $PLAUSIBLE_DATA.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import source
from experiments.slices import train_a_slice

import plausible
from plausible.core.errors import UsageError
from plausible.core.model import Generative
from plausible.core.space import Batch
from plausible.data.options import Options
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
    kind: str
    minutes: float
    seed: int

    @property
    def name(self) -> str:
        """What names its folder and its rows."""
        side = f"-{self.size}" if self.size else ""
        return f"{self.data}{side}-{self.kind}-{self.minutes:g}-{self.seed}"

    @property
    def source(self) -> str:
        """Where its data are."""
        return source(self.data)

    @property
    def options(self) -> Options:
        """How they are shaped."""
        return Options(size=self.size) if self.size else Options()

    @property
    def model(self) -> str:
        """Its family."""
        return "gan" if self.kind == "gan" else "diffusion"

    @property
    def evaluations(self) -> tuple[int | None, ...]:
        """Of the network, by which samples are drawn; None where there is one way."""
        if self.kind == "gan":
            return (None,)
        if self.kind == "average":
            return EVALUATIONS[:3]
        return EVALUATIONS if self.seed == 0 else (16,)


KINDS = {
    "diffusion": Diffusion.Config(),
    "gan": GAN.Config(),
    "average": Diffusion.Config(average_velocity=True),
}


def cases(minutes: float, long: float) -> list[Case]:
    """In the order in which they are made: the first seed of everything before the others."""
    sets: list[tuple[str, int | None]] = [("signs", 32), ("tiles", 32), ("mnist", None), ("fashion-mnist", None)]  # fmt: skip
    found = [Case(*one, "diffusion", minutes, 0) for one in sets]
    found += [Case(*one, "gan", minutes, 0) for one in sets]
    found += [Case(*one, "diffusion", long, 0) for one in [*sets[:2], ("signs", 64)]]
    found += [Case(*one, "average", minutes, 0) for one in sets[:3:2]]
    return found + [Case(*one, "diffusion", minutes, seed) for seed in (1, 2) for one in sets]


def speed(case: Case) -> dict[str, Any]:
    """What idle cores do in a second, of learning and of drawing."""
    script = Path(__file__).parent.parent / "benchmarks" / "learning_speed.py"
    key = {"data": case.data, "size": case.size, "kind": case.kind}
    for row in kept(str(script), quick=False):
        if key.items() <= row.items():
            return row
    raise SystemExit(f"{case.name}: first python -m benchmarks.learning_speed, on idle cores")


def drawn(model: Any, evaluations: int | None, n: int, seed: int) -> Batch:
    """n samples, by so many evaluations of a diffusion model."""
    generator = torch.Generator().manual_seed(seed)
    if evaluations is None:
        made = model.sample(n, generator=generator)
    elif model.config.average_velocity:
        with model.sampling(steps=evaluations):
            made = model.sample(n, generator=generator)
    else:
        solver = "euler" if evaluations == 1 else "midpoint"
        with model.sampling(steps=steps_of(solver, evaluations), solver=solver):
            made = model.sample(n, generator=generator)
    return made.to("cpu")


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
        try:
            data = plausible.load(case.source, case.options)
        except UsageError as refusal:
            print(f"skipped: {refusal}")
            continue
        training = train_a_slice(
            asked.folder / case.name, case.model, case.source, KINDS[case.kind],
            plausible.Settings(steps=2 if asked.quick else round(60 * case.minutes * speed(case)["updates/s"]), seed=case.seed), asked.slice, case.options,
        )  # fmt: skip
        model, clock = training.averaged.to("cpu"), training.clock
        assert isinstance(model, Generative)
        n = min(len(data.heldout), 40 if asked.quick else MOST)
        embedding = eyes_of(data, n, "auto", 0, lambda stage, share: None).embedding
        for count in case.evaluations[:2] if asked.quick else case.evaluations:
            samples = drawn(model, count, 3 * n, case.seed)
            found = judged(samples, data, embedding, case.seed)
            rows.append({
                "run": case.name, "data": case.data, "pixels": case.size or data.space.shape[-1],
                "model": case.kind, "minutes": case.minutes, "seed": case.seed,
                "evaluations": count or 1, **found, "updates": clock.step,
                "images/s, training": clock.images / (60 * case.minutes),
                "images/s, drawing": 0 if asked.quick else speed(case)["drawn/s"] * 16 / (count or 16),
            })  # fmt: skip
            print(rows[-1], flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
