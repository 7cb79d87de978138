"""The curves of a training that a person can read, with its alarms, as a figure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from plausible.diagnosis.history import History
from plausible.figures.colours import ALARM, line_style
from plausible.figures.curves import Curves, curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OWN = 200  # values, up to which each is a dot of a line


def learning_curves(history: History, alarms: Sequence[tuple[float, str]] = ()) -> "Figure | None":
    """What the log of a training says in panels one below the other; None where it says nothing.

    alarms  (step, what was raised), each marked where it was.
    """
    from matplotlib.figure import Figure

    panels = curves(history)
    if not panels:
        return None
    figure = Figure(figsize=(8, 0.6 + 2.2 * len(panels)), dpi=100, layout="constrained")
    grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(grid, panels, strict=True):
        _draw(axes, panel)
    for i, (step, name) in enumerate(alarms):
        for axes in grid:
            axes.axvline(step, color=ALARM, linestyle="--", linewidth=1)
        late = 2 * step > history.steps  # then there is room at the left
        grid[0].annotate(
            name, (step, 0.97 - 0.12 * (i % 4)), xycoords=("data", "axes fraction"), fontsize=8,
            color=ALARM, va="top", ha="right" if late else "left", xytext=(-3 if late else 3, 0),
            textcoords="offset points",
        )  # fmt: skip
    grid[-1].set_xlabel("rounds")
    return figure


def _draw(axes: "Axes", panel: Curves) -> None:
    from matplotlib.ticker import LogFormatter

    for k, (name, (steps, values)) in enumerate(panel.lines.items()):
        shown = 100 * values if panel.percent else values
        few = len(steps) <= _OWN // 10
        axes.plot(
            steps.numpy(),
            shown.numpy(),
            label=name,
            linewidth=1.4 if len(steps) <= _OWN else 0.8,
            marker="o" if few else "",
            markersize=3,
            **line_style(k),
        )
    if panel.level is not None:
        axes.axhline(panel.level * (100 if panel.percent else 1), color="0.6", linewidth=0.8)
    if panel.logarithmic and all(bool((values > 0).all()) for _, values in panel.lines.values()):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(LogFormatter())
        axes.yaxis.set_minor_formatter(LogFormatter())
    axes.set_title(panel.title, loc="left", fontsize=10)
    axes.set_ylabel(panel.unit, fontsize=8)
    axes.tick_params(which="both", labelsize=8)
    if len(panel.lines) > 1:
        axes.legend(fontsize=8, loc="best")


def learning_curve(panel: Curves, marks: Sequence[tuple[float, str]] = ()) -> "Figure":
    """One panel of them by itself, small enough for a narrow page, which has its title.

    marks  (round, a few letters), each where it was.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.9, 2.3), dpi=100, layout="constrained")
    axes = figure.subplots()
    _draw(axes, panel)
    axes.set_title("", loc="left")
    for step, name in marks:
        axes.axvline(step, color=ALARM, linestyle="--", linewidth=1)
        axes.annotate(
            name, (step, 1.0), xycoords=("data", "axes fraction"), fontsize=8, color=ALARM,
            ha="center", va="bottom", xytext=(0, 1), textcoords="offset points",
        )  # fmt: skip
    axes.set_xlabel("rounds", fontsize=8)
    return figure
