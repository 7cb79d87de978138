"""plausible sample."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import (
    MANY_TIMES,
    Count,
    DataPlace,
    Device,
    Marked,
    Overwrite,
    Positive,
    RunFolder,
    Seed,
)
from plausible.cli.checks import check_output, check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import say
from plausible.cli.ranks import become_ranks
from plausible.core.bounds import NON_NEGATIVE, POSITIVE, REPEATS
from plausible.core.choices import Which
from plausible.core.errors import UsageError
from plausible.data.source import resolve_source

if TYPE_CHECKING:
    from plausible.tasks import Trained


@commands
@dataclass(frozen=True)
class Sample(Command):
    """Draw samples: a grid (.png), arrays (.npz), a table (.csv), or a folder (trailing /) with one PNG each.

    What is written has the labels of the data: y of arrays, the class column of a table, sub-folders of images.
    Or show the walk of the Markov chain behind them, from its beginning, as an animation.

    Example: plausible sample runs/gan-digits-20260101-120000 -n 64 --out samples.png
    """

    answers: ClassVar[type[Any]] = documents.Drawn
    run_folder: RunFolder
    out: str | None = None
    """Write the samples to this name, which ends in .png, .npz, .csv (vectors) or / (images)."""
    n: Count = 64
    """Draw this many samples, or walk this many chains."""
    label: str | None = None
    """Draw only this class, by name or number, from a conditional model; by default all classes."""
    truncation: Annotated[float, POSITIVE] | None = None
    """Keep every coordinate of z within this many standard deviations: more typical, less varied."""
    mean: bool = False
    """Draw E[x | z] in the place of x: without the noise that a model of single pixels adds."""
    sampling_steps: Annotated[int, REPEATS] | None = None
    """Draw in so many steps, of a diffusion model; by default as many as the run was configured with."""
    solver: str | None = None
    """Draw by this method, of a diffusion model: euler, heun, midpoint or rk4."""
    guidance: Annotated[float, NON_NEGATIVE] | None = None
    """Draw a class of a conditional diffusion model by so much of the difference that its label makes."""
    weights: Which = "best"
    """Draw by the best weights of the training, by what was probed while it ran, or by the last."""
    chain: str | None = None
    """Write the walk of n chains in the place of samples, of rbm and gsn: a name ending in .gif."""
    steps: Positive = 100
    """Let the walk of --chain take this many steps."""
    processes: Annotated[int, MANY_TIMES] = 1
    """The number of processes that draw together, each a part of the samples: the same ones, on several GPUs or machines."""
    data: DataPlace = None
    seed: Seed = 0
    device: Device = "auto"
    mark: Marked = True
    overwrite: Overwrite = False

    def run(self) -> None:
        """Draw and write."""
        check_run(self.run_folder)
        if self.data is not None:
            resolve_source(self.data)
        if (self.out is None) == (self.chain is None):
            raise UsageError("say where to write: --out for samples, or --chain for a walk")
        if self.out is not None:
            check_output(self.out, (".png", ".npz", ".csv", "/"), self.overwrite)
        if self.chain is not None:
            check_output(self.chain, (".gif",), self.overwrite, "--chain")
        from plausible.core.device import resolve_device
        from plausible.core.ranks import sharing
        from plausible.tasks import open_trained, sample
        from plausible.tasks.mark import mark_of
        from plausible.tasks.sample import weights_used
        from plausible.tasks.save import check_form, save_samples
        from plausible.training import distributed

        if self.processes > 1 and not distributed.launched():
            become_ranks(self.processes, sys.argv[1:], "nothing was written")
        world = distributed.join(resolve_device(self.device))
        trained = open_trained(self.run_folder, self.data, device=self.device, weights=self.weights)
        which = weights_used(trained, self.weights)
        if which and world.leads:
            say(which)
        if self.chain is not None:
            if world.leads:  # a walk is made by one
                self._walk(trained, self.chain)
            return
        assert self.out is not None
        check_form(self.out, trained.model.space, self.n)
        with sharing(world):
            drawn = sample(
                trained,
                self.n,
                self.label,
                truncation=self.truncation,
                mean=self.mean,
                sampling_steps=self.sampling_steps,
                solver=self.solver,
                guidance=self.guidance,
                seed=self.seed,
            )
        distributed.leave()
        if not world.leads:
            return
        mark = self.mark and mark_of(trained, self.seed)
        save_samples(drawn, trained.model.space, self.out, trained, mark)
        answer(documents.Drawn(self.run_folder, Path(self.out), self.n, 1))
        say(f"{self.n:,} samples in {self.out}")
        own = getattr(trained.model.config, "guidance", 1.0)
        if (own if self.guidance is None else self.guidance) != 1:
            say("guided samples are no draws of p(x | y): they are more typical, and vary less")

    def _walk(self, trained: "Trained", out: str) -> None:
        """The states of chains from their beginning on, one frame a step."""
        from plausible import figures
        from plausible.core.capabilities import Chain
        from plausible.figures.pixels import check_sheets
        from plausible.tasks import sample_chain
        from plausible.tasks.mark import mark_of
        from plausible.tasks.save import save_bytes

        if isinstance(trained.model, Chain) and not trained.model.space.is_image:
            raise UsageError("an animation needs images")
        check_sheets(trained.model.space, self.n, self.steps + 1)
        way = sample_chain(trained, self.n, self.steps, self.label, seed=self.seed)
        save_bytes(
            Path(out),
            figures.gif(
                [figures.grid(x) for x in way],
                back=False,
                mark=mark_of(trained, self.seed) if self.mark else None,
            ),
        )
        answer(documents.Drawn(self.run_folder, Path(out), self.n, self.steps))
        say(f"{self.n:,} chains of {self.steps:,} steps in {out}")
