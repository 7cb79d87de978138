"""What can be asked of a data set, torch-free: the command line makes its flags of it."""

import math
from dataclasses import dataclass
from typing import Literal

from plausible.core.errors import UsageError

NO_CLASS = "none"  # what --label says where there is none


@dataclass(frozen=True)
class Options:
    """How images and tables become a data set."""

    size: int | None = None
    """The side in pixels that images are cropped and resized to; by default decided from the images."""

    channels: Literal[1, 3, 4] | None = None
    """The channels of an image: 1 grey, 3 colour, 4 colour with alpha; by default decided from the images."""

    background: Literal["white", "black"] = "white"
    """What shows through where an image is transparent."""

    levels: int | None = None
    """The number of grey levels a pixel can take, 2 to 256; by default as many as the images have."""

    value_range: tuple[float, float] | None = None
    """The values of black and white in arrays and in pictures of more than 8 bits, as 0 4095; by default
    decided from their type and extent."""

    binarise: Literal["threshold", "static", "dynamic"] | None = None
    """Make images black and white: cut at half (threshold), or drawn with the grey value as probability,
    once (static) or anew at each use (dynamic)."""

    label: str | None = None
    """The column of a .csv file that holds the class; by default one called label or class, or one called
    target or y whose values repeat. Unless a column is called so, none says that there is no class."""

    mutate: float | None = None
    """Replace this share of all coordinates, 0.1 to 0.3, to learn a background model."""

    def __post_init__(self) -> None:
        if self.value_range is None:
            return
        black, white = self.value_range
        object.__setattr__(self, "value_range", (float(black), float(white)))  # JSON has lists
        if not -math.inf < black < white < math.inf:
            raise UsageError(
                f"--value-range needs a black below its white, both finite, not {black:g} {white:g}"
            )


DEFAULTS = Options()
