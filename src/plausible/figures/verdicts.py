"""A verdict at a glance: how far each defect is from what is tolerated."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from plausible.evaluation.verdict.verdict import State, TestResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAILED, PASSED, UNDECIDED = "#bd1f01", "#1a7f37", "#9a6700"
_LOOKS = {
    State.FAIL: {"color": FAILED, "marker": "X", "label": "FAIL"},
    State.INCONCLUSIVE: {"color": UNDECIDED, "marker": "s", "label": "INCONCLUSIVE"},
    State.PASS: {"color": PASSED, "marker": "o", "label": "PASS"},
}
_SHOWN = 100.0  # times what is tolerated, beyond which nothing is told apart
_TICKS = (0, 1, 2, 5, 10, 20, 50, 100)


def verdict_figure(rows: Sequence[TestResult]) -> "Figure":
    """The effect of each defect with its 95% interval, in multiples of the margin, one below the other.

    Up to 1 is tolerated, and beyond it the axis is logarithmic.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.9, 0.9 + 0.22 * len(rows)), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-0.06, 1, color="0.65", alpha=0.25, linewidth=0)
    axes.axvline(1, color="0.4", linewidth=0.8)
    for state, look in _LOOKS.items():
        places = [i for i, row in enumerate(rows) if row.state is state]
        _draw(axes, [rows[i] for i in places], places, look)
    axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xscale("symlog", linthresh=1, linscale=1)
    top = max(
        (_times(row, row.interval[1] if row.interval else row.effect) for row in rows), default=1
    )
    axes.set_xlim(-0.06, max(2.0, 1.3 * top))
    axes.spines[["top", "right"]].set_visible(False)
    ticks = [tick for tick in _TICKS if tick <= max(2.0, 1.3 * top)]
    axes.set_xticks(ticks, [f"{tick}" for tick in ticks], fontsize=8)
    axes.minorticks_off()
    axes.set_xlabel("times what is tolerated", fontsize=8)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return figure


def _times(row: TestResult, value: float | None) -> float:
    """A number in multiples of the margin, from 0 to what can be shown."""
    return min(max((value or 0.0) / row.margin, 0.0), _SHOWN)


def _draw(axes: "Axes", rows: list[TestResult], places: list[int], look: dict[str, str]) -> None:
    x = [_times(row, row.effect) for row in rows]
    ends = [row.interval or (row.effect, row.effect) for row in rows]
    low = [max(0.0, at - _times(row, end[0])) for row, at, end in zip(rows, x, ends, strict=True)]
    high = [max(0.0, _times(row, end[1]) - at) for row, at, end in zip(rows, x, ends, strict=True)]
    if rows:
        axes.errorbar(
            x, places, xerr=[low, high], fmt=look["marker"], color=look["color"], markersize=5,
            elinewidth=1.2, capsize=2, label=look["label"],
        )  # fmt: skip
