"""What critics are surest of, and what they looked at."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from plausible.evaluation.critic.views import VIEWS, WHOLE
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.figures.pixels import images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 8
_LARGE = 96  # pixels a side at which an image is shown
_HEAD, _GAP = 30, 26  # pixels for the title, and for that of a row
_STEP = 1.04  # from one image to the next, in sides of one
_SWATCHES = 64  # colours of one image


def critic_pictures(evalset: EvaluationSet) -> "dict[str, Figure]":
    """{file name: picture} for each aspect in which a critic proves a difference.

    Four rows: the samples it is surest of, what of them it looked at, the held-out images that it is surest of, and
    the same of those.  Of a critic that sees everything only the images.
    """
    found = {}
    for aspect, said in (evalset.critiques or {}).items():
        last = said[-1]
        if evalset.space.is_image and last.bound > 0 and last.surest:
            sides = (
                (evalset.samples.part, last.surest, "samples"),
                (evalset.heldout.part, last.most_real, "real images"),
            )
            rows = []
            for part, chosen, name in sides:
                x = part.batch(torch.tensor(chosen[:_SHOWN])).x
                rows.append((f"{name} that the critic is surest of", x))
                if aspect != WHOLE:
                    rows.append((_LOOKED_AT[aspect], looked_at(aspect, x)))
            words = "A critic that sees everything" if aspect == WHOLE else f"A critic of {aspect}"
            name = "all-of-it" if aspect == WHOLE else aspect
            proven = f"at least {last.bound:.0%} of the samples are not as real images are"
            found[f"critic-{name}.png"] = _labelled(f"{words}: {proven}", rows)
    return found


_LOOKED_AT = {
    "shape": "what it saw: means of blocks",
    "texture": "what it saw: fine detail, four times as strong",
    "colour": "what it saw: colours, by brightness",
}


def looked_at(aspect: str, x: Tensor) -> Tensor:
    """What of images a critic of this aspect sees, as images: (N, C, H, W) -> (N, C, h, w) in [0, 1]."""
    if aspect == "colour":
        small = interpolate(x, (_SWATCHES // 8, _SWATCHES // 8), mode="area").flatten(2)
        order = small[:, :3].mean(1).argsort(1)  # (N, P)
        sorted_ = small.gather(2, order[:, None].expand_as(small))
        return sorted_.unflatten(2, (_SWATCHES // 8, _SWATCHES // 8))
    seen = VIEWS[aspect].see(x)
    if aspect == "texture":
        if x.shape[1] == 4:  # nothing is transparent in fine detail
            seen = pad(seen[:, :3], (0, 0, 0, 0, 0, 1), value=0.125)
        return (0.5 + 4 * seen).clamp(0, 1)
    return seen


def _labelled(title: str, rows: list[tuple[str, Tensor]]) -> "Figure":
    from matplotlib.figure import Figure

    count = len(rows[0][1])
    height = len(rows) * (_LARGE + _GAP) + _HEAD
    figure = Figure(figsize=(count * _LARGE / 100, height / 100), dpi=100)
    lines = figure.subplots(len(rows), squeeze=False)[:, 0]  # an axes for each tile would take long
    for axes, (name, x) in zip(lines, rows, strict=True):
        for left, tile in zip(np.arange(count) * _STEP, images(x), strict=False):
            wide, high = np.array(tile.size) / max(tile.size)
            where = (left, left + wide, 1 - high, 1)
            axes.imshow(tile, cmap="gray", vmin=0, vmax=255, interpolation="nearest", extent=where)
        axes.set(xlim=(0, count * _STEP), ylim=(0, 1))
        axes.set_axis_off()
        axes.set_title(name, loc="left", fontsize=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    top = 1 - (_HEAD + _GAP) / height
    space = _GAP / _LARGE
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=top, hspace=space)
    return figure
