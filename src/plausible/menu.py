"""The commands and their flags, without torch.

Commands are dataclasses whose fields are flags.  torch is imported only inside them, so that help,
lists and wrong paths answer at once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from tyro.conf import OmitArgPrefixes, Positional

from plausible.core.registry import Refused, Registry
from plausible.data.options import DEFAULTS, NAMES, Options, known
from plausible.paths import exist, free, run_exists, writable

Device = Literal["auto", "cpu", "cuda", "mps"]
Novelty = Literal["likelihood", "ratio", "complexity", "typicality", "either"]
menu: Registry[type[Any]] = Registry("command")
console = Console()


@menu
@dataclass(frozen=True)
class Models:
    """The taxonomy: every model, where it stands, its verbs and its kind of probability.

    Example: plausible models
    """

    def run(self) -> None:
        """Print the tree."""
        from rich.tree import Tree

        import plausible.models  # noqa: F401
        from plausible.core.model import models, verbs

        root = Tree("models")
        branches: dict[tuple[str, ...], Tree] = {(): root}
        for model in models.values():
            for depth in range(len(model.place)):
                place = model.place[: depth + 1]
                if place not in branches:
                    branches[place] = branches[place[:-1]].add(place[-1])
            offered = ", ".join(f"{verb} {kind}".strip() for verb, kind in verbs(model).items())
            if "log_prob" not in verbs(model):
                offered += "; no probability of x"
            first = (model.__doc__ or "").splitlines()[0]
            branches[model.place].add(f"[bold]{model.name}[/bold]  {first}\n  verbs: {offered}")
        console.print(root, highlight=False)


@menu
class Train:
    """Learn a distribution: plausible train MODEL [--data D] [--steps N | --minutes M] [flags].

    Example: plausible train gan --data my-folder --minutes 10
    """


@menu
@dataclass(frozen=True)
class Resume:
    """Go on with a run exactly where it stopped, or to a new total.

    Example: plausible resume runs/gan-digits-20260101-120000 --steps 8000
    """

    run_folder: Annotated[Positional[Path], tyro.conf.arg(name="run")]
    """The folder of the run."""
    steps: int | None = None
    """A new total number of steps."""
    minutes: float | None = None
    """A new total number of minutes."""
    device: Device = "auto"
    """Where to compute."""

    def run(self) -> None:
        """Resume, measure, save."""
        run_exists(self.run_folder)
        from plausible import commands

        commands.resume(self.run_folder, self.steps, self.minutes, self.device, console)


@menu
@dataclass(frozen=True)
class Data:
    """What a data set holds and what will be done with it, without training.

    Example: plausible data my-folder --size 64
    """

    source: Positional[str] = "digits"
    """A name (digits, a toy, mnist) or a path: images, IDX, npy, npz, csv."""
    options: OmitArgPrefixes[Options] = DEFAULTS
    picture: Path | None = None
    """Where to write a picture of some items; by default <name>-data.png."""
    overwrite: bool = False
    """Replace the picture if it exists."""

    def run(self) -> None:
        """Print the survey and write the picture."""
        known(self.source)
        from plausible import commands

        commands.describe(self.source, self.options, self.picture, self.overwrite, console)


@menu
@dataclass(frozen=True)
class Sample:
    """Draw samples: a grid (.png), arrays (.npz), or a folder (trailing /) with one PNG each.

    Example: plausible sample runs/gan-digits-20260101-120000 -n 64 --out samples.png
    """

    run_folder: Annotated[Positional[Path], tyro.conf.arg(name="run")]
    """The folder of the run."""
    out: str
    """Where to write: a name ending in .png, .npz or /."""
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64
    """How many."""
    label: str | None = None
    """Draw only this class, by name or number, from a conditional model."""
    truncation: float | None = None
    """Keep every coordinate of z within this many standard deviations: typical, less varied."""
    seed: int = 0
    """The same seed draws the same samples."""
    device: Device = "auto"
    """Where to compute."""
    overwrite: bool = False
    """Replace what exists."""

    def run(self) -> None:
        """Draw and write."""
        run_exists(self.run_folder)
        free(self.out, (".png", ".npz", "/"), self.overwrite)
        if self.n < 1:
            raise Refused(f"-n must be at least 1, not {self.n}")
        from plausible import commands

        commands.sample(self, console)


@menu
@dataclass(frozen=True)
class Interpolate:
    """Walk along great circles between draws of z: a small change of z is a small change of x.

    Example: plausible interpolate runs/gan-digits-20260101-120000 --out walk.gif
    """

    run_folder: Annotated[Positional[Path], tyro.conf.arg(name="run")]
    """The folder of the run."""
    out: str
    """Where to write: a name ending in .png (rows of images) or .gif (an animation)."""
    rows: int = 8
    """Walks."""
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
            raise Refused("--rows must be at least 1 and --columns at least 2")
        from plausible import commands

        commands.interpolate(
            self.run_folder,
            self.out,
            (self.rows, self.columns),
            self.label,
            self.seed,
            self.device,
            console,
        )


@menu
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
            raise Refused(f"-n must be at least 1, not {self.n}")
        from plausible import commands

        commands.complete(self, console)


@menu
@dataclass(frozen=True)
class Evaluate:
    """Did it learn the distribution?  Measures beside real data, and a verdict for each defect.

    Of a run, or of samples that another program drew.

    Example: plausible evaluate runs/gan-digits-20260101-120000 --strict
    """

    run_folder: Annotated[Positional[Path | None], tyro.conf.arg(name="run")] = None
    """The folder of the run; not with --samples."""
    samples: str | None = None
    """Judge these instead: a folder of images, or a .npz, .npy, .csv or IDX file."""
    data: str | None = None
    """With --samples: the data they imitate, a name or a path."""
    options: OmitArgPrefixes[Options] = DEFAULTS
    split: float | None = None
    """With --samples: the share of the data to hold out, 0 to 1; by default as for training."""
    heldout: str | None = None
    """With --samples: real data to hold them against, when --data is what they were learned from."""
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 5000
    """The most samples and held-out examples to look at."""
    features: Literal["auto", "classifier", "random", "pca", "pixels"] = "auto"
    """What distances are taken in; auto is a classifier for labelled data, otherwise random."""
    outliers: str | None = None
    """Data of another kind, a name or a path: does the model tell them from its own?"""
    pretrained: str | None = None
    """An image model of the Hugging Face hub, or its folder, as features (extra: pretrained)."""
    out: Path | None = None
    """The folder to write to; by default the run, or <samples>-evaluation."""
    strict: bool = False
    """Exit with 0 for PASS, 1 for FAIL and 3 for INCONCLUSIVE."""
    seed: int = 0
    """The same seed gives the same report."""
    device: Device = "auto"
    """Where to draw samples."""
    overwrite: bool = False
    """Replace what is in --out."""

    def run(self) -> None:
        """Measure, test, write."""
        if (self.run_folder is None) == (self.samples is None):
            raise Refused("plausible evaluate needs either the folder of a run or --samples FILE")
        if self.run_folder is not None:
            run_exists(self.run_folder)
            for flag in ("data", "split", "heldout"):
                if getattr(self, flag) is not None:
                    raise Refused(f"--{flag} goes with --samples; a run knows its own data")
            if self.options != DEFAULTS:
                raise Refused("flags that shape data go with --samples; a run knows its own data")
        elif self.outliers is not None:
            raise Refused("--outliers asks a model: give the folder of a run")
        elif self.data is None:
            raise Refused("--samples needs --data, the real data that the samples imitate")
        if self.pretrained is not None and self.features != "auto":
            raise Refused("--features and --pretrained both choose features: give one of them")
        if self.split is not None and self.heldout is not None:
            raise Refused("--split and --heldout both say what is held out: give one of them")
        if self.samples not in (None, *NAMES) and not Path(self.samples).expanduser().exists():
            raise Refused(f"--samples {self.samples} does not exist: give a file or a folder")
        for source in (self.data, self.heldout, self.outliers):
            if source is not None:
                known(source)
        if self.out is not None:
            writable(self.out, self.overwrite)
        from plausible import commands

        commands.evaluate(self, console)


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
                raise Refused(f"--background is for --novelty ratio, not {self.novelty}")
        exist(self.paths)
        if self.out is not None:
            free(str(self.out), (".csv", ".json"), self.overwrite)


@menu
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
        from plausible import commands

        commands.classify(self, console)


@menu
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
        from plausible import commands

        commands.score(self, console)
