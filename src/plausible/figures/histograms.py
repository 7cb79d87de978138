"""Vectors as small histograms, one a coordinate, samples beside data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from plausible.figures.colours import DATA, SAMPLES, bar_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = 12  # coordinates that are shown
_BINS = 30
_TAIL = 0.005  # of the data at each end, beyond which an axis does not go for their sake
_NAME = 24  # letters of the name of a column


def histograms(
    samples: Tensor, data: Tensor | None = None, columns: Sequence[str] = (), title: str = ""
) -> "Figure":
    """Each coordinate by itself, samples (N, D) beside data (M, D), under the name of its column.

    The first 12 of them; axes reach as far as the data, and what of the samples lies beyond is counted at their ends.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    shown = {} if data is None else {"data": data}
    shown |= {"samples": samples}
    arrays = {name: rows.detach().cpu().flatten(1).double().numpy() for name, rows in shown.items()}
    dims = samples.flatten(1).shape[1]
    count = min(dims, _PANELS)
    across = 1 if count == 1 else 2 if count <= 4 else 3
    down = -(-count // across)
    size = (6.0, 6.0) if count == 1 else (2.7 * across + 0.3, 2.1 * down + 0.6)
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    grid = figure.subplots(down, across, squeeze=False)
    beyond = False
    for place, axes in enumerate(grid.ravel()):
        if place >= count:
            axes.set_axis_off()
            continue
        name = columns[place] if place < len(columns) else f"x{place + 1}"
        cells = {who: rows[:, place] for who, rows in arrays.items()}
        edges = _edges(next(iter(cells.values())))
        beyond = beyond or any(((x < edges[0]) | (x > edges[-1])).any() for x in cells.values())
        for who, colour in zip(cells, (DATA, SAMPLES)[-len(cells) :], strict=True):
            inside = cells[who].clip(edges[0], edges[-1])
            weights = np.full(len(inside), 1 / max(len(inside), 1))
            axes.hist(inside, edges.tolist(), weights=weights, label=who, **bar_style(colour))
        axes.set_title(name if len(name) <= _NAME else f"{name[: _NAME - 3]}...", fontsize=9)
        axes.yaxis.set_major_locator(MaxNLocator(3))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.tick_params(labelsize=7)
    words = [f"the first {count} of {dims} columns"] * (count < dims)
    words += ["what lies beyond an axis is counted in its last bar"] * beyond
    title = title or " beside ".join(reversed(arrays))
    figure.suptitle("\n".join(filter(None, (title, "; ".join(words)))), fontsize=11)
    figure.supylabel("share of the rows in each bar", fontsize=9)
    if len(arrays) > 1:
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _edges(values: np.ndarray) -> np.ndarray:
    """Of the bins: over the data but for their outermost, or one for each value where there are few."""
    low, high = np.quantile(values, [_TAIL, 1 - _TAIL])
    kinds = torch.from_numpy(values).unique()
    if 1 < len(kinds) <= _BINS // 2:
        step = kinds.diff().min().item()
        low, high = kinds[0].item() - step / 2, kinds[-1].item() + step / 2
    if not high > low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, _BINS + 1)
