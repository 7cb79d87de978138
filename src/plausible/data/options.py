"""What can be asked of a data set, torch-free: the command line makes its flags of it."""

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from plausible.core.errors import UsageError

NO_CLASS = "none"  # what --label says where there is none
MIN_SIDE, MAX_SIDE = 8, 256  # pixels, of images that are resized


@dataclass(frozen=True)
class Options:
    """How images and tables become a data set."""

    size: int | str | None = None
    """Crop and resize images to this side, or width x height as 64x48, of 8 to 256 pixels; by default decided from the images."""

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

    skip_unreadable: bool = False
    """Leave out image files that cannot be read even where they are more than half; fewer are left out anyway."""

    follow_links: bool = False
    """Read what symbolic links in a folder lead to outside of it; links that stay inside are always followed."""

    label: str | None = None
    """The column of a table that holds the class; by default one called label or class, or one called
    target or y whose values repeat. Unless a column is called so, none says that there is no class."""

    drop: tuple[str, ...] = ()
    """Leave out these columns of a table, by name."""

    missing: Literal["refuse", "drop"] = "refuse"
    """Refuse a table with empty cells (NA, nan, ? and the like), or drop the rows that have one."""

    hub_config: str | None = None
    """Read this configuration of a data set of the hub (hub:user/name) that has several; hub:user/name/config says the same."""

    hub_split: str | None = None
    """Read this split of a data set of the hub alone; by default train, with validation, is learned from and test is held out."""

    mutate: float | None = None
    """Replace this share of all coordinates, 0.1 to 0.3, to learn a background model."""

    half: Literal[1, 2] | None = None
    """Learn from this half of the training part alone; a twin learns from the other, for evaluate --twin."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _plain_size(self.size))
        drop = (self.drop,) if isinstance(self.drop, str) else self.drop
        object.__setattr__(self, "drop", tuple(drop))  # JSON has lists
        if self.value_range is None:
            return
        black, white = self.value_range
        object.__setattr__(self, "value_range", (float(black), float(white)))
        if not -math.inf < black < white < math.inf:
            raise UsageError(
                f"--value-range needs a black below its white, both finite, not {black:g} {white:g}"
            )

    @property
    def sides(self) -> tuple[int, int] | None:
        """(width, height) in pixels that images are brought to; None where nothing was asked for.

        >>> Options(size=64).sides, Options(size="64x48").sides
        ((64, 64), (64, 48))
        """
        if self.size is None:
            return None
        width, _, height = str(self.size).partition("x")
        return int(width), int(height or width)


def size_of(width: int, height: int) -> int | str:
    """A width and a height as --size takes them: 64, or "64x48"."""
    return width if width == height else f"{width}x{height}"


def _plain_size(size: Any) -> int | str | None:
    """64 of 64, "64" and "64x64"; "64x48" of that.  UsageError: no size."""
    if size is None:
        return None
    known = re.fullmatch(r"(-?\d+)(?:\s*[x*×]\s*(-?\d+))?", str(size).strip().lower())
    if known is None:
        raise UsageError(
            f"--size is one number of pixels, as 64, or width x height, as 64x48, not {size}"
        )
    return size_of(int(known[1]), int(known[2] or known[1]))


DEFAULTS = Options()
