"""What a game wins and what it costs: a VAE and flow matching in one step, refined, on MNIST and on sprites.

Each start learns for --start minutes of one core, is kept, and is then refined for --minutes of one in each way, with seeds
0 to --seeds - 1: by its own discriminator (likelihood-ratio), and against a network with the own loss at several weights
beside the game, of nats or of squared errors.  Average velocities (MeanFlow) draw in one step, before and after.  A row is a start, or what became of it:

critic 400, 2000   how often a fresh critic is right after so many updates, at most, about held-out images and samples
Frechet            distance to one half of the held-out part over that of the other half, in the features of an evaluation
nats, bits         of held-out images, a bound: the truth is at least so many nats, at most so many bits a dimension;
                   paired with those of the start, whose difference has a standard error of its own

A training goes on where it stopped, and each row that is there is kept; a start whose folder is gone learns again for as many
rounds as its row says.  The data must be in $PLAUSIBLE_DATA.
"""

import math
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import Rows, kept, parser, record
from benchmarks.sets import source
from experiments.equal_minutes import MOST, compared, judged
from experiments.slices import ROUNDS_TIMED, rounds_in

import plausible
from plausible.core.errors import UsageError
from plausible.core.likelihood import LogProb
from plausible.core.refinement import RefinementConfig
from plausible.data.options import Options
from plausible.evaluation.metrics.likelihood import askable, log_prob_of
from plausible.runs import Run
from plausible.tasks.eyes import eyes_of
from plausible.tasks.fit_steps import fit_steps
from plausible.tasks.refine import begin_refining
from plausible.tasks.start import restart, start

SETS = (("mnist", None), ("tiles", 32))
MODELS: dict[str, dict[str, Any]] = {
    "vae": {},
    "diffusion": {"average_velocity": True, "sampling_steps": 1},
}
RATIO = "likelihood-ratio"
GAMES: dict[str, RefinementConfig] = {RATIO: RefinementConfig(RATIO)} | {
    f"weight {weight:g}": RefinementConfig("adversarial", likelihood_weight=weight)
    for weight in (10.0, 1.0, 0.1, 0.0)
}
TRIED = {
    "vae": (RATIO, "weight 1", "weight 0.1", "weight 0"),
    "diffusion": ("weight 10", "weight 0"),
}
"""{model: its games}, of which 0.1 nats and 10 squared errors are the default."""


@dataclass(frozen=True)
class Case:
    """A start, or one way in which it is refined; ``game`` is empty of a start."""

    data: str
    size: int | None
    model: str
    game: str
    seed: int

    @property
    def name(self) -> str:
        """What names its folder and its row."""
        words = [self.data, self.model, self.game.replace(" ", "-"), str(self.seed)]
        return "-".join(word for word in words if word)

    @property
    def start(self) -> "Case":
        """What it begins with."""
        return replace(self, game="")

    @property
    def options(self) -> Options:
        """How its data are shaped."""
        return Options(size=self.size) if self.size else Options()


def cases(seeds: int, games: Iterable[str]) -> Iterator[Case]:
    """Every start before what becomes of it, and the first seed of everything before the others."""
    for seed in range(seeds):
        for data, size in SETS:
            for model in MODELS:
                for game in ("", *(game for game in TRIED[model] if game in games)):
                    yield Case(data, size, model, game, seed)


def begun(case: Case, asked: Any, steps: int, folder: Path) -> tuple[Run, Any]:
    """Its training, of which nothing was played."""
    settings = plausible.Settings(steps=steps, seed=case.seed)
    if case.game:
        first = asked.folder / case.start.name
        return begin_refining(first, GAMES[case.game], settings=settings, out=folder)
    return start(
        case.model, source(case.data), options=case.options, settings=settings, out=folder,
        **MODELS[case.model],
    )  # fmt: skip


def rounds(case: Case, asked: Any, rows: Rows) -> int:
    """As many as its row says, or as one core plays in its minutes."""
    for row in rows:
        if row["run"] == case.name:
            return int(row["rounds"])
    with tempfile.TemporaryDirectory() as place:
        _, training = begun(case, asked, ROUNDS_TIMED * 1000, Path(place) / "run")
        minutes = asked.minutes if case.game else asked.start
        return max(ROUNDS_TIMED, rounds_in(minutes, training))


def trained(case: Case, asked: Any, rows: Rows) -> Run:
    """Its run, trained to the end from where it stopped, after its start."""
    folder: Path = asked.folder / case.name
    if case.game:
        trained(case.start, asked, rows)
    if (folder / "state.pt").exists():
        run, training = restart(folder)
    else:
        run, training = begun(case, asked, 3 if asked.quick else rounds(case, asked, rows), folder)
    for step in fit_steps(run, training):
        if step.clock.step % 500 == 499:
            print(f"  {case.name}: {step.clock.progress:.0%}", flush=True)
    if not training.finished:
        sys.exit(130)
    return run


def said(model: Any, data: plausible.Data, n: int) -> LogProb:
    """log p of held-out images, each by the same noise for every model."""
    part = askable(data.heldout.rows(slice(0, n)), model)
    return log_prob_of(model, part, torch.Generator().manual_seed(0))


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--minutes", type=float, default=4.0, help="of each refinement")
    flags.add_argument("--start", type=float, default=4.0, help="minutes of each start")
    flags.add_argument("--seeds", type=int, default=3)
    flags.add_argument("--games", nargs="+", choices=GAMES, default=list(GAMES))
    flags.add_argument("--only", default="", help="rows whose name has this in it")
    flags.add_argument("--folder", type=Path, default=Path("runs/refine"))
    asked = flags.parse_args()
    if asked.quick:
        asked.folder = asked.folder.with_name("refine-quick")
    rows = [] if asked.quick else kept(__file__, quick=False)
    todo = [
        case
        for case in cases(1 if asked.quick else asked.seeds, asked.games)
        if asked.only in case.name
    ]
    for case in todo[:3] if asked.quick else todo:
        if any(row["run"] == case.name for row in rows):
            continue
        try:
            run = trained(case, asked, rows)
        except UsageError as refusal:
            print(f"skipped: {refusal}")
            continue
        rows.append(row(case, run, asked))
        print(rows[-1], flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


def row(case: Case, run: Run, asked: Any) -> dict[str, Any]:
    """What is measured of it, beside its start."""
    data, model = run.data(), run.model()
    n = min(len(data.heldout), 40 if asked.quick else MOST)
    eyes = eyes_of(data, n, "auto", 0, lambda stage, share: None).embedding
    samples = model.sample(3 * n, generator=torch.Generator().manual_seed(case.seed)).to("cpu")
    found = judged(compared(samples, data, eyes, case.seed))
    nats, cost = said(model, data, n), None
    if case.game:
        first = Run(asked.folder / case.start.name)
        cost = (nats - said(first.model(), data, n)).mean()
    mean = nats.mean()
    return {
        "run": case.name, "data": case.data, "pixels": data.space.shape[-1], "model": case.model,
        "game": case.game or "start", "seed": case.seed,
        "minutes": asked.minutes if case.game else asked.start, "rounds": run.settings.steps,
        **found, "sign": mean.kind.sign, "nats": mean.nats.item(), "nats, error": mean.stderr.item(),
        "bits per dimension": -mean.nats.item() / (data.space.dims * math.log(2)),
        "nats won": None if cost is None else cost.nats.item(),
        "nats won, error": None if cost is None else cost.stderr.item(),
    }  # fmt: skip


if __name__ == "__main__":
    main()
