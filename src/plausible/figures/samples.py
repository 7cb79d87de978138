"""What samples look like: images in a grid, by class where there are some, points in the plane, columns of a table."""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from plausible.core.model import Model
from plausible.core.space import Space
from plausible.figures.captions import captioned
from plausible.figures.files import Picture
from plausible.figures.histograms import histograms
from plausible.figures.pixels import grid
from plausible.figures.plane import plane

_NAMED = 20  # classes, at most, that get rows of their own
_ROW = 16  # images of a class side by side, at most


def picture(
    space: Space,
    x: Tensor,
    data: Tensor | None = None,
    *,
    y: Tensor | None = None,
    names: Sequence[str] = (),
    columns: Sequence[str] = (),
    model: Model | None = None,
    title: str = "",
    patient: bool = False,
) -> Picture:
    """What x (N, *shape) looks like: a grid of images, points of the plane, or a histogram of each column.

    data     (M, *shape) behind vectors.
    y        labels (N,), by which images are put in rows and points get colours; ``names`` those of the classes.
    columns  names of the coordinates of vectors.
    model    whose density, or discriminator, is drawn below points of the plane; ``patient`` where that takes seconds, too.
    """
    if space.shape == (2,):
        return plane(
            x, data, y=y, names=names, columns=columns, model=model, title=title, patient=patient
        )
    if not space.is_image:
        return histograms(x, data, columns, title)
    present = [] if y is None else y.unique().tolist()
    if y is None or not 1 < len(present) <= _NAMED:
        return captioned(grid(x), title)
    return _by_class(x, y, present, names, title)


def _by_class(
    x: Tensor, y: Tensor, present: list[int], names: Sequence[str], title: str
) -> Image.Image:
    """Each class in rows of its own, its name before the first of them."""
    x, y = x.cpu(), y.cpu()
    columns = min(_ROW, int(torch.bincount(y).max()))
    blank = torch.full((1, *x.shape[1:]), 0.5)
    rows, words = [], []
    for label in present:
        lines = x[y == label].split(columns)
        for line in lines:
            rows.append(torch.cat([line, blank.expand(columns - len(line), *x.shape[1:])]))
        name = str(names[label]) if label < len(names) else str(label)
        words += [name, *[""] * (len(lines) - 1)]
    return captioned(grid(torch.cat(rows), columns), title, words)
