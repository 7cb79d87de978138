"""Whether it learned."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from plausible.cli.checks import run_exists, writable
from plausible.cli.menu.terminal import Device, console
from plausible.core.errors import UsageError
from plausible.data.options import DEFAULTS, NAMES, Options, resolve_source


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
            raise UsageError(
                "plausible evaluate needs either the folder of a run or --samples FILE"
            )
        if self.run_folder is not None:
            run_exists(self.run_folder)
            for flag in ("data", "split", "heldout"):
                if getattr(self, flag) is not None:
                    raise UsageError(f"--{flag} goes with --samples; a run knows its own data")
            if self.options != DEFAULTS:
                raise UsageError(
                    "flags that shape data go with --samples; a run knows its own data"
                )
        elif self.outliers is not None:
            raise UsageError("--outliers asks a model: give the folder of a run")
        elif self.data is None:
            raise UsageError("--samples needs --data, the real data that the samples imitate")
        if self.pretrained is not None and self.features != "auto":
            raise UsageError("--features and --pretrained both choose features: give one of them")
        if self.split is not None and self.heldout is not None:
            raise UsageError("--split and --heldout both say what is held out: give one of them")
        if self.samples not in (None, *NAMES) and not Path(self.samples).expanduser().exists():
            raise UsageError(f"--samples {self.samples} does not exist: give a file or a folder")
        for source in (self.data, self.heldout, self.outliers):
            if source is not None:
                resolve_source(source)
        if self.out is not None:
            writable(self.out, self.overwrite)
        from plausible.cli import commands

        commands.evaluate(self, console)


@dataclass(frozen=True)
class Diagnose:
    """What is wrong with a trained model, the evidence, and the flag to change.

    Example: plausible diagnose runs/vae-mnist-20260101-120000
    """

    run_folder: Annotated[Positional[Path], tyro.conf.arg(name="run")]
    """The folder of the run; findings.json is written there."""
    seed: int = 0
    """The same seed gives the same findings."""
    device: Device = "auto"
    """Where to compute."""

    def run(self) -> None:
        """Check, print, write."""
        run_exists(self.run_folder)
        from plausible.cli import commands

        commands.diagnose(self, console)
