"""Questions about inputs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from plausible.cli.checks import exist, free, run_exists
from plausible.cli.menu.terminal import Device, console
from plausible.core.errors import UsageError

Novelty = Literal["likelihood", "ratio", "complexity", "typicality", "either"]


@dataclass(frozen=True)
class Asking:
    """What is asked of a run about inputs."""

    run_folder: Annotated[Positional[Path], tyro.conf.arg(name="run")]
    """The folder of the run."""
    paths: Annotated[Positional[tuple[str, ...]], tyro.conf.arg(name="path")]
    """Images, folders of images, or .npy, .npz and .csv files."""
    background: Path | None = None
    """A run of the same data trained with --mutate 0.2; the score is then ratio."""
    novelty: Novelty | None = None
    """How the implausible is told; by default either for images, likelihood for vectors."""
    draws: int | None = None
    """Draws of z for each log p(x), where it is an estimate; by default the model's (vae: 100)."""
    out: Path | None = None
    """Also write everything to this file, .csv or .json."""
    seed: int = 0
    """Of estimates of log p."""
    device: Device = "auto"
    """Where to compute."""
    overwrite: bool = False
    """Replace the file if it exists."""

    def check(self) -> None:
        """Refuse what can be refused without reading anything large."""
        run_exists(self.run_folder)
        if self.background is not None:
            run_exists(self.background)
            if self.novelty not in (None, "ratio"):
                raise UsageError(f"--background is for --novelty ratio, not {self.novelty}")
        exist(self.paths)
        if self.draws is not None and self.draws < 1:
            raise UsageError(f"--draws must be at least 1, not {self.draws}")
        if self.out is not None:
            free(str(self.out), (".csv", ".json"), self.overwrite)


@dataclass(frozen=True)
class Classify(Asking):
    """Which class is it?  Or none of these: implausible, or too close to call.

    Example: plausible classify runs/naive-bayes-mnist-20260101-120000 photo.png more/
    """

    reject_cost: float = 0.2
    """Name no class that is less sure than 1 minus this (a wrong answer costs 1); 1 always answers."""
    level: float = 0.05
    """Reject as implausible what is as novel as this share of good data; 0 rejects nothing."""

    def run(self) -> None:
        """Look and answer."""
        self.check()
        from plausible.cli import commands

        commands.classify(self, console)


@dataclass(frozen=True)
class Score(Asking):
    """How plausible is it?  log p(x), its place among held-out data, and a p-value.

    Example: plausible score runs/naive-bayes-mnist-20260101-120000 photo.png --out scores.csv
    """

    map: str | None = None
    """Where to draw -log p of every pixel of the inputs (.png), of an autoregressive model."""

    def run(self) -> None:
        """Look and answer."""
        self.check()
        if self.map is not None:
            free(self.map, (".png",), self.overwrite, "--map")
        from plausible.cli import commands

        commands.score(self, console)
