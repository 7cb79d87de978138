"""Pictures of the space of z behind the samples."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from plausible.core.capabilities import Latent, Variational
from plausible.core.model import Generative
from plausible.data.part import Part
from plausible.evaluation.metrics.inference import infer_posterior
from plausible.figures.captions import captioned
from plausible.figures.colours import SAMPLES, mark_style, outlined
from plausible.figures.files import Picture
from plausible.figures.pixels import grid
from plausible.figures.plots import scatter
from plausible.sampling.latent import decode_on_levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LATTICE = 20  # points a side of the plane of z
_POINTS = 5000  # inputs whose z is drawn over it
_NAMED = 20  # classes that are named


def latent_plane(model: Latent, part: Part) -> Picture:
    """All of a z with two coordinates: E[x | z] on a grid of it, and where the posterior puts a part's x.

    The grid is even in probability: its lines are quantiles of N(0, 1).  The second picture, in colours
    of the labels, is of models that infer z; a conditional model draws the grid of its first class.
    """
    assert isinstance(model, Generative)
    line = torch.special.ndtri((torch.arange(_LATTICE) + 0.5) / _LATTICE)  # (_LATTICE,)
    up, right = torch.meshgrid(line.flip(0), line, indexing="ij")
    z = torch.stack([right, up], 2).flatten(0, 1)  # (_LATTICE^2, 2)
    label = torch.zeros(len(z), dtype=torch.long) if model.conditional else None
    x = decode_on_levels(model, z, label)
    title = "what a grid of z becomes" + (", class 0" if model.conditional else "")
    if not model.space.is_image:
        return scatter(x, part.as_batch().x, names=("a grid of z", "held-out data"), title=title)
    lattice = grid(x, _LATTICE)
    if not isinstance(model, Variational):
        return captioned(lattice, title)
    shown = part.every_kth(_POINTS)
    mean = infer_posterior(model, shown, torch.Generator().manual_seed(0)).mean  # (n, 2)
    return _beside(lattice, title, mean, None if shown.y is None else shown.y.cpu())


def _beside(lattice: Image.Image, title: str, mean: Tensor, y: Tensor | None) -> "Figure":
    """The grid of z at the left, and at the right where examples lie in it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 7), dpi=100, layout="constrained")
    left, axes = figure.subplots(1, 2)
    left.imshow(np.asarray(lattice), cmap="gray", vmin=0, vmax=255)
    left.set(title=title)
    left.set_axis_off()
    axes.set(title="held-out images at the mean of their z: each class is named at its middle")
    if y is None:
        axes.set(title="held-out images at the mean of their z")
        axes.scatter(mean[:, 0].numpy(), mean[:, 1].numpy(), s=6, color=SAMPLES, linewidths=0)
    else:
        _classes(axes, mean, y)
    axes.set(xlabel="z1, standard deviations", ylabel="z2, standard deviations")
    axes.set_aspect("equal")
    return figure


def _classes(axes: "Axes", z: Tensor, y: Tensor) -> None:
    """Each class with its colour and mark, and its number over it."""
    present = y.unique().tolist()
    for k in present:
        rows = z[y == k]  # (n, 2)
        axes.scatter(rows[:, 0].numpy(), rows[:, 1].numpy(), s=10, linewidths=0, **mark_style(k))
    for k in present[:_NAMED]:
        across, up = z[y == k].median(0).values.tolist()
        axes.text(across, up, str(k), ha="center", va="center", **outlined(14))
