"""The principal directions of z as a picture, one row each, and below it what truncation does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from plausible.core.space import Space
from plausible.evaluation.features import pca
from plausible.figures.captions import captioned
from plausible.figures.colours import DATA, line_style
from plausible.figures.files import Picture
from plausible.figures.pixels import grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def directions(
    space: Space, x: Tensor, shares: Sequence[float], truncation: Tensor, bounds: Sequence[str]
) -> Picture:
    """Walks x (k, columns, *shape) along the directions, and draws (m, columns, *shape) by their bounds.

    shares  of all change that each direction brings about, (k,).
    bounds  what to write before each row of the draws, (m,).
    Vectors are points of the plane, the walks as lines over the draws without a bound.
    """
    names = [f"{row}: {share:.0%} of change" for row, share in enumerate(shares, 1)]
    if not space.is_image:
        return _lines(x, truncation[0], names)
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


def _lines(x: Tensor, draws: Tensor, names: Sequence[str]) -> "Figure":
    """Walks x (k, columns, D) over draws (n, D), in the plane of their two leading components where there are more."""
    from matplotlib.figure import Figure

    walks, points = x.double(), draws.double()
    labels = ("x1", "x2") if x.shape[2] == 2 else ("standard deviations of z from its mean", "x")
    if x.shape[2] > 2:
        labels = ("first principal component", "second principal component")
        axis = pca(points, 2)
        points = axis(points).flip(1)  # (n, D) -> (n, 2)
        walks = axis(walks.flatten(0, 1)).flip(1).unflatten(0, x.shape[:2])  # (k, columns, 2)
    figure = Figure(figsize=(7, 6), dpi=100, layout="constrained")
    axes = figure.subplots()
    far = torch.linspace(-3, 3, x.shape[1])
    for k, (walk, name) in enumerate(zip(walks, names, strict=True)):
        along = walk.T if x.shape[2] > 1 else (far, walk[:, 0])
        axes.plot(*along, label=name, linewidth=1.4, marker=".", **line_style(k))
    if x.shape[2] > 1:
        axes.scatter(points[:, 0], points[:, 1], s=8, color=DATA, label="draws")
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.set_title(
        "along the principal directions of z, from -3 to 3 standard deviations", fontsize=10
    )
    axes.legend(fontsize=8)
    return figure
