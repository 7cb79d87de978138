"""The choices of a diffusion model: the path from data to noise, what learns it, and how samples are drawn."""

from dataclasses import dataclass, replace
from typing import Annotated, Self

from plausible.core.bounds import BELOW_ONE, COUNT, DEPTH, NON_NEGATIVE, POSITIVE, REPEATS
from plausible.core.errors import UsageError
from plausible.core.model import Explicit
from plausible.core.space import Space
from plausible.models.diffusion.pairing import pairings
from plausible.models.diffusion.path import paths
from plausible.models.diffusion.solvers import solvers

SOLVER = "midpoint"
_FEW = 4  # steps
_SMALLEST = 8  # pixels a side, below which an image is a vector to the network


@dataclass(frozen=True)
class DiffusionConfig(Explicit.Config):
    """A diffusion model, by default by flow matching."""

    batch: Annotated[int, COUNT] | None = None  # type: ignore[assignment]
    """The number of training examples in one update; by default 16 images, because many small updates learn faster, or 256 vectors."""
    conditional: bool = False
    """Learn p(x | y) from labelled data, so that a class can be asked for."""
    path: Annotated[str, paths] = "straight"
    """The way from data to noise: straight (flow matching), or edm with its preconditioning and noise levels."""
    average_velocity: bool = False
    """Learn the mean velocity between any two times (MeanFlow), so that one step or a few draw a sample; of the straight path."""
    pairing: Annotated[str, pairings] = "independent"
    """Which noise goes with which example of a batch: as drawn, or by optimal transport, which makes paths straighter."""
    width: Annotated[int, COUNT] | None = None
    """The channels of the first level of the network, or the units for vectors; by default what suits the data, and of images the minutes there are."""
    blocks: Annotated[int, DEPTH] | None = None
    """The residual blocks of each level and direction; by default what suits the data."""
    dropout: Annotated[float, BELOW_ONE] = 0.0
    """The share of each residual block's units left out while it learns."""
    label_dropout: Annotated[float, BELOW_ONE] = 0.1
    """The share of the examples of a conditional model that are shown without their label, which guidance needs."""
    guidance: Annotated[float, NON_NEGATIVE] = 1.0
    """Draw a class by so much of the difference that its label makes; beyond 1 samples are more typical, and no longer draws of p(x | y)."""
    solver: Annotated[str, solvers] = SOLVER
    """The method by which samples are drawn."""
    sampling_steps: Annotated[int, REPEATS] = 8
    """The steps by which samples are drawn, of midpoint two evaluations of the network each."""
    lr: Annotated[float, POSITIVE] = 2e-3
    """The learning rate of the first half; in the second it falls to 1% of this."""
    largest_gradient: Annotated[float, POSITIVE] | None = None
    """A gradient whose norm is larger is scaled down to this."""
    ema: Annotated[float, POSITIVE] | None = 500_000
    """The half-life of the averaged weights in training examples; at most 5% of those seen."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.guidance != 1 and not self.conditional:
            raise UsageError("--guidance is of conditional models: train with --conditional")
        if self.average_velocity and self.path != "straight":
            raise UsageError("--average-velocity is of the straight path")
        if self.average_velocity and self.solver != SOLVER:
            raise UsageError(
                "--average-velocity draws without a --solver, by what it learned between two times"
            )

    def in_few_steps(self, steps: int | None = None) -> Self:
        """The same, but drawn by so few evaluations that samples can be learned through; by default 1 by average velocities, else 4."""
        if self.average_velocity:
            return replace(self, sampling_steps=steps or 1)
        return replace(self, sampling_steps=steps or _FEW, solver="euler")


def convolves(space: Space) -> bool:
    """Whether the network of a space is a U-Net."""
    return space.is_image and min(space.shape[1:]) >= _SMALLEST
