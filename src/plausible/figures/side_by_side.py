"""What several models draw, side by side, beside real data."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from plausible.core.space import Space
from plausible.evaluation.features import pca
from plausible.figures.captions import captioned
from plausible.figures.files import rendered
from plausible.figures.pixels import grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IMAGES = 12
"""Images in a row, at most."""
_WIDE = 3  # panels of points side by side


def side_by_side(space: Space, real: Tensor, samples: Mapping[str, Tensor]) -> Image.Image:
    """A row of images for real data and for each model, named; of vectors, a panel of points for each.

    real     (M, *shape) held-out data.
    samples  {name: (n, *shape)} of each model.
    """
    if not space.is_image:
        return rendered(point_panels(real, samples))
    rows = {"real, held out": real, **samples}
    count = min(IMAGES, *(len(x) for x in rows.values()))
    tiles = torch.cat([x[:count].cpu() for x in rows.values()])  # (rows * count, C, H, W)
    return captioned(grid(tiles, count), "", list(rows))


def point_panels(real: Tensor, samples: Mapping[str, Tensor]) -> "Figure":
    """The samples of each model as points over real ones, in the plane or in the two leading principal components."""
    from matplotlib.figure import Figure

    flat = {name: x.detach().cpu().flatten(1).double() for name, x in samples.items()}
    base, names = real.detach().cpu().flatten(1).double(), ("x1", "x2")
    if base.shape[1] > 2:
        axis = pca(base, 2)
        base, flat = axis(base).flip(1), {name: axis(x).flip(1) for name, x in flat.items()}
        names = ("first principal component", "second principal component")
    lines = -(-len(flat) // _WIDE)
    wide = min(_WIDE, len(flat))
    figure = Figure(figsize=(4 * wide, 4 * lines), dpi=100, layout="constrained")
    panels = figure.subplots(lines, wide, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, (name, x) in zip(panels, flat.items(), strict=False):
        if base.shape[1] == 1:
            edges = torch.linspace(base.min().item(), base.max().item(), 41).tolist()
            axes.hist(base[:, 0].tolist(), edges, density=True, color="0.75", label="real")
            axes.hist(
                x[:, 0].tolist(), edges, density=True, histtype="step", color="C0", label=name
            )
            axes.set(title=name, xlabel="x", ylabel="density")
        else:
            axes.scatter(*base.T.numpy(), s=6, color="0.75", linewidths=0, label="real, held out")
            axes.scatter(*x.T.numpy(), s=6, color="C0", linewidths=0, label="samples")
            axes.set(title=name, xlabel=names[0], ylabel=names[1])
    for axes in panels[len(flat) :]:
        axes.set_visible(False)
    panels[0].legend(loc="upper right")
    return figure
