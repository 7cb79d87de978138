"""Pictures with axes: points, lines, heatmaps."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from torch import Tensor

from plausible.core.space import Space
from plausible.evaluation.features import pca
from plausible.figures.pixels import grid, images, paired_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PAIRS = 16  # inputs side by side, each above what came back of it


def scatter(samples: Tensor, data: Tensor | None = None) -> Image.Image:
    """Vectors as points, samples over data: (N, D), (M, D).

    One dimension is a pair of histograms, two are a plane, and more are the plane of the two leading
    principal components (of the data where given).
    """
    from matplotlib.figure import Figure

    shown = {} if data is None else {"data": data.detach().cpu().flatten(1).double()}
    shown["samples"] = samples.detach().cpu().flatten(1).double()
    reference = next(iter(shown.values()))
    names = ("x1", "x2")
    if reference.shape[1] > 2:
        axis = pca(reference, 2)
        shown = {name: axis(rows).flip(1) for name, rows in shown.items()}  # (N, D) -> (N, 2)
        names = ("first component", "second component")
    figure = Figure(figsize=(6, 6), dpi=100, layout="constrained")
    axes = figure.subplots()
    bins = np.histogram_bin_edges(reference[:, 0].numpy(), 60)
    for (name, rows), colour in zip(shown.items(), ("0.7", "C0")[-len(shown) :], strict=True):
        columns = rows.T.numpy()  # (N, D) -> (D, N)
        if len(columns) == 1:
            axes.hist(columns[0], bins.tolist(), density=True, label=name, color=colour, alpha=0.6)
        else:
            axes.scatter(columns[0], columns[1], s=6, color=colour, label=name, linewidths=0)
    if reference.shape[1] == 1:
        names = ("x", "density")
    axes.set(xlabel=names[0], ylabel=names[1])
    if reference.shape[1] == 2:
        axes.set_aspect("equal")
    axes.legend(loc="upper right")
    return rendered(figure)


def walks(space: Space, x: Tensor, data: Tensor | None = None) -> Image.Image:
    """Walks x (rows, columns, *shape): one in each row of a grid of images, or vectors over the data."""
    flat = x.flatten(0, 1)  # (rows, columns, *shape) -> (rows columns, *shape)
    return grid(flat, x.shape[1]) if space.is_image else scatter(flat, data)


def reconstruction(space: Space, x: Tensor, back: Tensor) -> Image.Image:
    """Inputs x and what came back of them: images below each other, vectors over the inputs; (N, *shape) each."""
    return paired_grid(x, back, _PAIRS) if space.is_image else scatter(back, x)


def heatmap(x: Tensor, nats: Tensor) -> Image.Image:
    """Images above, -log p of each of their pixels below, in one colour scale: (N, C, H, W) each.

    The nats of a pixel are the sum over its channels.
    """
    from matplotlib.figure import Figure

    maps = nats.sum(1)  # (N, C, H, W) -> (N, H, W)
    top = float(maps.max())
    figure = Figure(figsize=(1.2 * len(x) + 1.2, 2.6), dpi=100, layout="constrained")
    axes = figure.subplots(2, len(x), squeeze=False)
    shown = None
    for column, (tile, map) in enumerate(zip(images(x), maps, strict=True)):
        axes[0, column].imshow(tile, cmap="gray", vmin=0, vmax=255)
        shown = axes[1, column].imshow(map.numpy(), cmap="magma", vmin=0, vmax=top)
        for row in (0, 1):
            axes[row, column].set_axis_off()
    if shown is not None:
        figure.colorbar(shown, ax=axes.ravel().tolist(), label="-log p, nats")
    return rendered(figure)


def line_plot(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_label: str,
    y_label: str,
    *,
    log: str = "",
) -> Image.Image:
    """Lines {label: (x, y)} with their axes; ``log`` names those that are logarithmic: "", x, y or xy."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    for name, (x, y) in lines.items():
        axes.plot(x, y, label=name)
    for axis in log:
        axes.set(**{f"{axis}scale": "log"})
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.legend()
    return rendered(figure)


def rendered(figure: "Figure") -> Image.Image:
    """What matplotlib drew, as a picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer)
