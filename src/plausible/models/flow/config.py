"""The choices of a normalizing flow: what is invertible, how much of it, and how fast it learns."""

from dataclasses import dataclass
from typing import Annotated, Literal

from plausible.core.bounds import BELOW_ONE, COUNT, DEPTH, POSITIVE, Bounds
from plausible.core.errors import UsageError
from plausible.core.model import Explicit
from plausible.core.space import Space
from plausible.models.flow.architectures import Size, architectures
from plausible.models.flow.transforms import transforms

_BINS = Bounds(at_least=2, at_most=256)
_FEW = 4  # coordinates, whose splines are finer and whose batches larger
_SMALL = 16  # pixels a side


@dataclass(frozen=True)
class FlowConfig(Explicit.Config):
    """A normalizing flow."""

    batch: Annotated[int, COUNT] | None = None  # type: ignore[assignment]
    """The number of training examples in one update; by default 64 images, 256 vectors or 1,024 of few coordinates."""
    conditional: bool = False
    """Learn p(x | y) from labelled data, so that a class can be asked for."""
    architecture: Annotated[str, architectures] = "coupling"
    """What makes it invertible: coupling, for vectors autoregressive, which draws slower, or for images patches, the same patch by patch."""
    transform: Annotated[str, transforms] | None = None
    """What a layer does to one coordinate: spline, or affine, which is the default of patches alone."""
    layers: Annotated[int, DEPTH] | None = None
    """The invertible layers one after another, of couplings of images at each scale; by default what suits the data."""
    width: Annotated[int, COUNT] | None = None
    """The units or channels of the network in each layer; by default what suits the data."""
    blocks: Annotated[int, DEPTH] | None = None
    """The residual blocks of the network in each layer; by default 2."""
    bins: Annotated[int, _BINS] | None = None
    """The pieces of a spline; by default 32 for few coordinates and 8 for more."""
    patch: Annotated[int, COUNT] | None = None
    """The pixels a side of one patch, of the architecture of that name; by default about 8 patches a side."""
    preprocessing: Literal["logit", "affine"] | None = None
    """What is done to grey levels first: logit, so that no draw lies outside of them, or affine, the default of patches alone."""
    dropout: Annotated[float, BELOW_ONE] = 0.0
    """The share of each residual block's units left out while it learns."""
    lr: Annotated[float, POSITIVE] | None = None
    """The learning rate at the start, by default 0.002, or 0.005 for few coordinates; it falls to 1% of this."""
    largest_gradient: Annotated[float, POSITIVE] | None = None
    """A gradient whose norm is larger is scaled down to this; by default 10, or the number of coordinates where that is more."""
    ema: Annotated[float, POSITIVE] | None = 500_000
    """The half-life of the averaged weights in training examples; at most 5% of those seen."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patch and self.architecture != "patches":
            raise UsageError("--patch is of --architecture patches")
        if self.bins and self.transform == "affine":
            raise UsageError("--bins are of splines, and --transform affine has none")

    def size(self, space: Space) -> Size:
        """How large a flow of this space is, with the defaults that suit it."""
        layers, width = _usual(self.architecture, space)
        by_patch = self.architecture == "patches"
        return Size(
            transform=self.transform or ("affine" if by_patch else "spline"),
            layers=self.layers or layers,
            width=self.width or width,
            blocks=self.blocks or 2,
            bins=self.bins or (32 if few(space) else 8),
            patch=self.patch,
            classes=space.classes if self.conditional else 0,
        )

    def learning_rate(self, space: Space) -> float:
        """As asked, or what suits the space."""
        return self.lr or (5e-3 if few(space) else 2e-3)


def few(space: Space) -> bool:
    """Whether the space has so few coordinates that all of it can be seen in one batch."""
    return not space.is_image and space.dims <= _FEW


def _usual(architecture: str, space: Space) -> tuple[int, int]:
    """(layers, width) when nobody says how many."""
    if architecture == "patches":
        return 4, 96
    if not space.is_image:
        return 6, 64
    return (4, 32) if max(space.shape[1:]) <= _SMALL else (6, 64)
