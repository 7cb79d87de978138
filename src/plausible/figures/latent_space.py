"""Pictures of the space of z behind the samples."""

import numpy as np
import torch
from PIL import Image

from plausible.core.capabilities import Latent, Variational
from plausible.core.model import Generative
from plausible.data.part import Part
from plausible.evaluation.metrics.inference import infer_posterior
from plausible.figures.pixels import grid
from plausible.figures.plots import rendered, scatter
from plausible.sampling.latent import decode_on_levels

_LATTICE = 20  # points a side of the plane of z
_POINTS = 5000  # inputs whose z is drawn over it


def latent_plane(model: Latent, part: Part) -> Image.Image:
    """All of a z with two coordinates: E[x | z] on a grid of it, and where the posterior puts a part's x.

    The grid is even in probability: its lines are quantiles of N(0, 1).  The second picture, in colours
    of the labels, is of models that infer z; a conditional model draws the grid of its first class.
    """
    from matplotlib.figure import Figure

    assert isinstance(model, Generative)
    line = torch.special.ndtri((torch.arange(_LATTICE) + 0.5) / _LATTICE)  # (_LATTICE,)
    up, right = torch.meshgrid(line.flip(0), line, indexing="ij")
    z = torch.stack([right, up], 2).flatten(0, 1)  # (_LATTICE^2, 2)
    label = torch.zeros(len(z), dtype=torch.long) if model.conditional else None
    x = decode_on_levels(model, z, label)
    if not model.space.is_image:
        return scatter(x, part.as_batch().x)
    lattice = grid(x, _LATTICE)
    if not isinstance(model, Variational):
        return lattice
    shown = part.every_kth(_POINTS)
    mean = infer_posterior(model, shown, torch.Generator().manual_seed(0)).mean  # (n, 2)
    figure = Figure(figsize=(14, 7), dpi=100, layout="constrained")
    left, axes = figure.subplots(1, 2)
    left.imshow(np.asarray(lattice), cmap="gray", vmin=0, vmax=255)
    left.set(title="E[x | z]" + (", class 0" if model.conditional else ""))
    left.set_axis_off()
    y = None if shown.y is None else shown.y.cpu().numpy()
    points = axes.scatter(
        mean[:, 0].numpy(), mean[:, 1].numpy(), s=6, c=y, cmap="tab10", linewidths=0
    )
    axes.set(xlabel="z1", ylabel="z2", title="the posterior's mean of held-out images")
    axes.set_aspect("equal")
    if y is not None:
        figure.colorbar(points, ax=axes, label="label")
    return rendered(figure)
