"""Pictures with axes: points, lines, heatmaps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from plausible.core.space import Space
from plausible.evaluation.features import pca
from plausible.figures.colours import DATA, SAMPLES, bar_style, line_style
from plausible.figures.files import Picture
from plausible.figures.pixels import grid, images, paired_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PAIRS = 16  # inputs side by side, each above what came back of it


def scatter(
    samples: Tensor,
    data: Tensor | None = None,
    *,
    names: tuple[str, str] = ("samples", "data"),
    title: str = "",
) -> "Figure":
    """Vectors as points, samples over data: (N, D), (M, D).

    One dimension is a pair of histograms, two are a plane, and more are the plane of the two leading
    principal components (of the data where given).
    names  what the points are, and what lies behind them.
    """
    from matplotlib.figure import Figure

    shown = {} if data is None else {names[1]: data.detach().cpu().flatten(1).double()}
    shown[names[0]] = samples.detach().cpu().flatten(1).double()
    reference = next(iter(shown.values()))
    axes_names = ("x1", "x2")
    if reference.shape[1] > 2:
        axis = pca(reference, 2)
        shown = {name: axis(rows).flip(1) for name, rows in shown.items()}  # (N, D) -> (N, 2)
        axes_names = ("first principal component", "second principal component")
    figure = Figure(figsize=(6, 6), dpi=100, layout="constrained")
    axes = figure.subplots()
    bins = np.histogram_bin_edges(reference[:, 0].numpy(), 60).tolist()
    for (name, rows), colour in zip(shown.items(), (DATA, SAMPLES)[-len(shown) :], strict=True):
        columns = rows.T.numpy()  # (N, D) -> (D, N)
        if len(columns) == 1:
            axes.hist(columns[0], bins, density=True, label=name, **bar_style(colour))
        else:
            axes.scatter(columns[0], columns[1], s=8, color=colour, label=name, linewidths=0)
    if reference.shape[1] == 1:
        axes_names = ("x", "density, 1 / unit of x")
    axes.set(xlabel=axes_names[0], ylabel=axes_names[1])
    axes.set_title(title or " over ".join(reversed(shown)), fontsize=11)
    if reference.shape[1] == 2:
        axes.set_aspect("equal")
    axes.legend(loc="upper right")
    return figure


def walks(space: Space, x: Tensor, data: Tensor | None = None) -> Picture:
    """Walks x (rows, columns, *shape): one in each row of a grid of images, or vectors over the data."""
    flat = x.flatten(0, 1)  # (rows, columns, *shape) -> (rows columns, *shape)
    if space.is_image:
        return grid(flat, x.shape[1])
    names = ("points of the walks", "data")
    return scatter(flat, data, names=names, title="walks through z, from one draw to another")


def reconstruction(space: Space, x: Tensor, back: Tensor) -> Picture:
    """Inputs x and what came back of them: images below each other, vectors over the inputs; (N, *shape) each."""
    if space.is_image:
        return paired_grid(x, back, _PAIRS)
    return scatter(back, x, names=("what came back of them", "inputs"))


def heatmap(x: Tensor, nats: Tensor) -> "Figure":
    """Images above, -log p of each of their pixels below, in one colour scale: (N, C, H, W) each.

    The nats of a pixel are the sum over its channels.
    """
    from matplotlib.figure import Figure

    maps = nats.sum(1)  # (N, C, H, W) -> (N, H, W)
    top = float(maps.max())
    figure = Figure(figsize=(1.2 * len(x) + 1.6, 2.8), dpi=100, layout="constrained")
    axes = figure.subplots(2, len(x), squeeze=False)
    shown = None
    for column, (tile, map) in enumerate(zip(images(x), maps, strict=True)):
        axes[0, column].imshow(tile, cmap="gray", vmin=0, vmax=255)
        shown = axes[1, column].imshow(map.numpy(), cmap="magma", vmin=0, vmax=top)
        for row in (0, 1):
            axes[row, column].set_axis_off()
    if shown is not None:
        figure.colorbar(shown, ax=axes.ravel().tolist(), label="-log p, nats a pixel")
    figure.suptitle("How surprising each pixel is", fontsize=11)
    return figure


def line_plot(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_label: str,
    y_label: str,
    *,
    title: str = "",
    log: str = "",
) -> "Figure":
    """Lines {label: (x, y)} with their axes; ``log`` names those that are logarithmic: "", x, y or xy."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    for k, (name, (x, y)) in enumerate(lines.items()):
        axes.plot(x, y, label=name, **line_style(k))
    for axis in log:
        axes.set(**{f"{axis}scale": "log"})
    axes.set_xlabel(x_label, wrap=True)
    axes.set_ylabel(y_label, wrap=True)
    axes.set_title(title, fontsize=10, wrap=True)
    axes.legend()
    return figure
