"""The principal directions of z as a picture, one row each, and below it what truncation does."""

from collections.abc import Sequence

from PIL import Image
from torch import Tensor

from plausible.core.space import Space
from plausible.figures.captions import captioned
from plausible.figures.pixels import grid
from plausible.figures.plots import scatter


def directions(
    space: Space, x: Tensor, shares: Sequence[float], truncation: Tensor, bounds: Sequence[str]
) -> Image.Image:
    """Walks x (k, columns, *shape) along the directions, and draws (m, columns, *shape) by their bounds.

    shares  of all change that each direction brings about, (k,).
    bounds  what to write before each row of the draws, (m,).
    Vectors are points of the plane, the walks over the draws without a bound.
    """
    if not space.is_image:
        return scatter(x.flatten(0, 1), truncation[0])
    names = [f"{row}: {share:.0%} of change" for row, share in enumerate(shares, 1)]
    walks = captioned(
        grid(x.flatten(0, 1), x.shape[1]),
        "along the principal directions of z, from -3 to 3 standard deviations",
        names,
    )
    draws = captioned(
        grid(truncation.flatten(0, 1), x.shape[1]),
        "the same draws of z, truncated",
        bounds,
    )
    width = max(walks.width, draws.width)
    paper: int | tuple[int, ...] = 255 if walks.mode == "L" else (255,) * len(walks.mode)
    sheet = Image.new(walks.mode, (width, walks.height + draws.height), paper)
    sheet.paste(walks, (width - walks.width, 0))  # the images of both below each other
    sheet.paste(draws, (width - draws.width, walks.height))
    return sheet
