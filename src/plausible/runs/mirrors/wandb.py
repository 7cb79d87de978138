"""Weights & Biases: a run that goes on under its own number, in whichever mode (WANDB_MODE) wandb is set to."""

from importlib import import_module
from pathlib import Path
from typing import ClassVar

from plausible.runs.mirrors.mirror import PROJECT, Mirrored, ProjectMirror, mirrors


@mirrors
class WandB(ProjectMirror):
    """Its runs of the project "plausible"."""

    name: ClassVar[str] = "wandb"
    package: ClassVar[str] = "wandb"
    install: ClassVar[str] = "pip install wandb"

    def __init__(self, run: Mirrored):
        wandb = import_module("wandb")
        self._image = wandb.Image
        self._run = wandb.init(
            project=PROJECT, id=run.name, name=run.folder.name, dir=str(run.folder),
            config=dict(run.config), resume="allow",
        )  # fmt: skip
        self.first = self._run.step

    @property
    def where(self) -> str:
        """How one looks at it."""
        return self._run.url or f"wandb sync {Path(self._run.dir).parent}"

    def close(self) -> None:
        """Nothing more comes."""
        self._run.finish()
