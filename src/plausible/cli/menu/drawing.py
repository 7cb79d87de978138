"""What a trained model draws."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from plausible.cli.checks import exist, free, run_exists
from plausible.cli.menu.terminal import Device, console
from plausible.core.choices import Which
from plausible.core.errors import UsageError


@dataclass(frozen=True)
class Sample:
    """Draw samples: a grid (.png), arrays (.npz), or a folder (trailing /) with one PNG each.

    Or show the walk of the Markov chain behind them, from its beginning, as an animation.

    Example: plausible sample runs/gan-digits-20260101-120000 -n 64 --out samples.png
    """

    run_folder: Annotated[Positional[Path], tyro.conf.arg(name="run")]
    """The folder of the run."""
    out: str | None = None
    """Where to write: a name ending in .png, .npz or /."""
    chain: str | None = None
    """Write the walk of n chains in the place of samples, of rbm and gsn: a name ending in .gif."""
    steps: int = 100
    """Of that walk."""
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64
    """How many."""
    label: str | None = None
    """Draw only this class, by name or number, from a conditional model."""
    truncation: float | None = None
    """Keep every coordinate of z within this many standard deviations: typical, less varied."""
    weights: Which = "best"
    """The best weights of the training, by what was looked at, or the last."""
    mean: bool = False
    """Draw E[x | z] in the place of x: without the noise that a model of single pixels adds."""
    seed: int = 0
    """The same seed draws the same samples."""
    device: Device = "auto"
    """Where to compute."""
    overwrite: bool = False
    """Replace what exists."""

    def run(self) -> None:
        """Draw and write."""
        run_exists(self.run_folder)
        if (self.out is None) == (self.chain is None):
            raise UsageError("say where to write: --out for samples, or --chain for a walk")
        if self.out is not None:
            free(self.out, (".png", ".npz", "/"), self.overwrite)
        if self.chain is not None:
            free(self.chain, (".gif",), self.overwrite, "--chain")
        if self.n < 1 or self.steps < 1:
            raise UsageError("-n and --steps must be at least 1")
        from plausible.cli import commands

        commands.sample(self, console)


@dataclass(frozen=True)
class Interpolate:
    """Walk along great circles between draws of z, or between the z of two given images.

    Example: plausible interpolate runs/gan-digits-20260101-120000 --out walk.gif
    """

    run_folder: Annotated[Positional[Path], tyro.conf.arg(name="run")]
    """The folder of the run."""
    out: str
    """Where to write: a name ending in .png (rows of images) or .gif (an animation)."""
    between: tuple[str, str] | None = None
    """Two files to walk between, each by its own z, of a model that can encode (vae)."""
    rows: int = 8
    """Walks; between two images there is one."""
    columns: int = 12
    """Points on each walk."""
    label: str | None = None
    """Of a conditional model, by name or number; by default each row has a drawn one."""
    seed: int = 0
    """The same seed walks the same way."""
    device: Device = "auto"
    """Where to compute."""
    overwrite: bool = False
    """Replace what exists."""

    def run(self) -> None:
        """Walk and write."""
        run_exists(self.run_folder)
        free(self.out, (".png", ".gif"), self.overwrite)
        if self.rows < 1 or self.columns < 2:
            raise UsageError("--rows must be at least 1 and --columns at least 2")
        if self.between is not None:
            exist(self.between)
        from plausible.cli import commands

        commands.interpolate(self, console)


@dataclass(frozen=True)
class Reconstruct:
    """What a model keeps of given inputs: each one beside what comes back from its code alone.

    Example: plausible reconstruct runs/vae-mnist-20260101-120000 photo.png more/ --out back.png
    """

    run_folder: Annotated[Positional[Path], tyro.conf.arg(name="run")]
    """The folder of the run."""
    paths: Annotated[Positional[tuple[str, ...]], tyro.conf.arg(name="path")]
    """Images, folders of images, or .npy, .npz and .csv files."""
    out: str
    """Where to write: .png (above the inputs, below what came back) or .npz (what came back)."""
    label: str | None = None
    """The class, by name or number; by default the most probable one of each input."""
    device: Device = "auto"
    """Where to compute."""
    overwrite: bool = False
    """Replace what exists."""

    def run(self) -> None:
        """Encode, decode and write."""
        run_exists(self.run_folder)
        exist(self.paths)
        free(self.out, (".png", ".npz"), self.overwrite)
        from plausible.cli import commands

        commands.reconstruct(self, console)


@dataclass(frozen=True)
class Complete:
    """Draw the rest of images of which the first rows are given, of an autoregressive model.

    Example: plausible complete runs/pixelcnn-mnist-20260101-120000 photo.png --rows 14 --out rest.png
    """

    run_folder: Annotated[Positional[Path], tyro.conf.arg(name="run")]
    """The folder of the run."""
    paths: Annotated[Positional[tuple[str, ...]], tyro.conf.arg(name="path")]
    """Images, folders of images, or .npy and .npz files."""
    rows: int
    """How many rows from the top are known."""
    out: str
    """Where to write: .png (in rows: the image, what is known, the draws) or .npz (the draws)."""
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 8
    """How many different ends of each image."""
    label: str | None = None
    """The class, by name or number; by default drawn from p(y | the known rows)."""
    seed: int = 0
    """The same seed draws the same."""
    device: Device = "auto"
    """Where to compute."""
    overwrite: bool = False
    """Replace what exists."""

    def run(self) -> None:
        """Look, draw and write."""
        run_exists(self.run_folder)
        exist(self.paths)
        free(self.out, (".png", ".npz"), self.overwrite)
        if self.n < 1:
            raise UsageError(f"-n must be at least 1, not {self.n}")
        from plausible.cli import commands

        commands.complete(self, console)
