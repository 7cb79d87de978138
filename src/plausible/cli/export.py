"""plausible export."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import tyro

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import Overwrite, RunFolder
from plausible.cli.checks import check_output, check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import progress_bar, say
from plausible.core.bounds import REPEATS
from plausible.core.choices import ExportPart, Which

_LISTED = 8  # names of columns or classes in a line


@commands
@dataclass(frozen=True)
class Export(Command):
    """Write a trained model to a file for programs without plausible: ONNX (.onnx), or a program of torch (.pt2).

    The file is compared with the model before it is written, and says in its metadata what goes in and comes out.

    Example: plausible export runs/gan-digits-20260101-120000 --to digits.onnx
    """

    answers: ClassVar[type[Any]] = documents.Exported
    run_folder: RunFolder
    to: Annotated[str, tyro.conf.arg(metavar="PATH")]
    """Write to this name, which ends in .onnx or .pt2."""
    part: ExportPart | None = None
    """Write this part: z to x, z to E[x | z], x to z, x to log p(y | x) or x to log p(x); by default the first that there is."""
    label: str | None = None
    """Write what a conditional model says of this class, by name or number; by default the class is an input, y."""
    sampling_steps: Annotated[int, REPEATS] | None = None
    """Unroll so many steps of a diffusion model; by default as many as the run was configured with."""
    weights: Which = "best"
    """Write the best weights of the training, by what was probed while it ran, or the last."""
    overwrite: Overwrite = False

    def run(self) -> None:
        """Trace, compare, write."""
        check_run(self.run_folder)
        check_output(self.to, (".onnx", ".pt2"), self.overwrite, "--to")
        from plausible.tasks import export

        with progress_bar("tracing the model"):
            done = export(
                self.run_folder,
                self.to,
                self.part,
                label=self.label,
                sampling_steps=self.sampling_steps,
                weights=self.weights,
            )
        say(done.sentence)
        for name, says in done.inputs.items():
            say(f"* {name}: {says}")
        for key in ("values", "channels", "class_names", "columns"):
            if key in done.facts:
                say(f"* {key.replace('_', ' ')}: {_listed(done.facts[key])}")
        answer(
            documents.Exported(
                self.run_folder,
                done.path,
                done.part,
                done.inputs,
                done.output,
                done.difference,
                done.facts,
            )
        )


def _listed(said: str) -> str:
    """A text as it is, and a list in JSON by its first names."""
    if not said.startswith("["):
        return said
    names = [str(name) for name in json.loads(said)]
    return ", ".join(names[:_LISTED]) + f", ... ({len(names):,} in all)" * (len(names) > _LISTED)
