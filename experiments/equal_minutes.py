"""Models that are compared after equal minutes: what is trained on what, how fast, what is drawn, and what is measured of it.

A minute is as many updates as idle cores play in it, which ``python -m benchmarks.learning_speed`` has measured.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import Rows, kept, parser
from benchmarks.sets import source
from experiments.slices import train_a_slice

import plausible
from plausible.core.errors import UsageError
from plausible.core.game import Clock
from plausible.core.model import Model
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

EVALUATIONS = (1, 2, 4, 8, 16, 64)
MOST = 1000  # held-out images compared, at most; three times as many are drawn, for the critic to learn from

KINDS: dict[str, Model.Config] = {
    "diffusion": Diffusion.Config(),
    "wide": Diffusion.Config(width=64),
    "average": Diffusion.Config(average_velocity=True),
    "gan": GAN.Config(architecture="conv", batch=64),
    "antialiased": GAN.Config(architecture="antialiased"),
    "palette": GAN.Config(architecture="palette"),
    "dcgan": GAN.presets["dcgan"].config,
}
"""By what rows call them: wide is what --minutes 30 chooses of diffusion on two cores, and diffusion its width otherwise;
gan is the default on small grey images, and was that of colour; antialiased is now, and palette of images that are flat in good part."""


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
        return "gan" if isinstance(KINDS[self.kind], GAN.Config) else "diffusion"

    @property
    def evaluations(self) -> tuple[int | None, ...]:
        """Of the network, by which samples are drawn; None where there is one way."""
        if self.model == "gan":
            return (None,)
        if self.kind == "average":
            return EVALUATIONS[:3]
        return EVALUATIONS if self.seed == 0 else (16,)


def speed(case: Case) -> dict[str, Any]:
    """What idle cores do in a second, of learning and of drawing."""
    script = Path(__file__).parent.parent / "benchmarks" / "learning_speed.py"
    key = {"data": case.data, "size": case.size, "kind": case.kind}
    for row in kept(str(script), quick=False):
        if key.items() <= row.items():
            return row
    raise SystemExit(f"{case.name}: first python -m benchmarks.learning_speed, on idle cores")


def flags_of(description: str, folder: str) -> argparse.ArgumentParser:
    """What scripts of such trainings take."""
    flags = parser(description)
    flags.add_argument("--minutes", type=float, default=8.0)
    flags.add_argument("--long", type=float, default=30.0, help="minutes of the long trainings")
    flags.add_argument("--slice", type=float, default=1e9, help="minutes of training in this call")
    flags.add_argument("--only", default="", help="rows whose name has this in it")
    flags.add_argument("--folder", type=Path, default=Path(folder))
    return flags


@dataclass(frozen=True)
class Learned:
    """A case, trained, with its data, the eyes that an evaluation makes of them, and how many it will compare."""

    case: Case
    model: Any
    clock: Clock
    data: plausible.Data
    eyes: Embedding
    n: int


def learned(cases: list[Case], rows: Rows, asked: argparse.Namespace) -> Iterator[Learned]:
    """Those that have no row yet, one after the other, each trained from where it stopped."""
    for case in cases:
        if asked.only not in case.name or any(row["run"] == case.name for row in rows):
            continue
        try:
            data = plausible.load(case.source, case.options)
        except UsageError as refusal:
            print(f"skipped: {refusal}")
            continue
        steps = 2 if asked.quick else round(60 * case.minutes * speed(case)["updates/s"])
        training = train_a_slice(
            asked.folder / case.name, case.model, case.source, KINDS[case.kind],
            plausible.Settings(steps=steps, seed=case.seed), asked.slice, case.options,
        )  # fmt: skip
        n = min(len(data.heldout), 40 if asked.quick else MOST)
        eyes = eyes_of(data, n, "auto", 0, lambda stage, share: None).embedding
        yield Learned(case, training.averaged.to("cpu"), training.clock, data, eyes, n)


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


def compared(
    samples: Batch, data: plausible.Data, embedding: Embedding, seed: int
) -> EvaluationSet:
    """T, H and samples as an evaluation sees them, with what a critic says of the whole."""
    n = min(len(data.heldout), MOST)
    sides = data.train.frozen(0), data.heldout.rows(slice(0, n)), as_points(samples, data.space)
    evalset = EvaluationSet(
        data.space, *map(embedding.embed, sides), embedding.names, embedding.labelled,
        embedding.extract, embedding.feature_description, seed=seed,
    )  # fmt: skip
    return replace(evalset, critiques=make_critiques(evalset, [WHOLE]))


def judged(evalset: EvaluationSet) -> dict[str, Any]:
    """What an evaluation measures of the samples, as far as the columns go."""
    heldout, made = evalset.heldout.features, evalset.samples.features
    n = len(heldout)
    few = prdc(heldout, made[:n])
    half, other = heldout[: n // 2], heldout[n // 2 :]
    looks = evalset.critiques[WHOLE]
    return {
        "Frechet": frechet(made[: n // 2], half) / frechet(other, half),
        "recall": few.recall,
        "coverage": few.coverage,
        "critic 400": looks[0].accuracy,
        "critic 2000": looks[-1].accuracy,
        "n": n,
    }
