"""What can be asked of a data set, torch-free: the command line makes its flags of it."""

from dataclasses import dataclass
from typing import Literal


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

    binarise: Literal["threshold", "static", "dynamic"] | None = None
    """Make images black and white: cut at half (threshold), or drawn with the grey value as probability,
    once (static) or anew at each use (dynamic)."""

    label: str | None = None
    """The column of a .csv file that holds the class; by default one called label, class, target or y."""

    mutate: float | None = None
    """Replace this share of all coordinates, 0.1 to 0.3, to learn a background model."""


DEFAULTS = Options()
