"""Quality against time: which model is not beaten in both by another."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Tradeoff(NamedTuple):
    """One model: the seconds that something takes, and how bad it is, with the ends of an interval where there is one."""

    seconds: float
    badness: float
    low: float | None = None
    high: float | None = None


def pareto_front(points: Mapping[str, Tradeoff]) -> list[str]:
    """The names that no other beats in both, from the fastest to the best."""
    front: list[str] = []
    best = float("inf")
    for name, point in sorted(points.items(), key=lambda pair: (pair[1].seconds, pair[1].badness)):
        if point.badness < best:
            front.append(name)
            best = point.badness
    return front


def tradeoff(points: Mapping[str, Tradeoff], seconds: str, badness: str, title: str) -> "Figure":
    """Badness against seconds, both logarithmic, each point named; a line joins those that are not beaten in both.

    seconds, badness  what the axes say.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, NullLocator

    figure = Figure(figsize=(7, 4.5), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.axhline(1.0, color="0.6", linestyle=":", linewidth=1.2, label="real data")
    front = [points[name] for name in pareto_front(points)]
    ends = [point.seconds for point in front], [point.badness for point in front]
    axes.step(*ends, where="post", color="C0", linewidth=1, alpha=0.5)
    for beaten, marker, label in (
        (False, "o", "not beaten in both"),
        (True, "X", "beaten in both"),
    ):
        some = [point for point in points.values() if (point not in front) == beaten]
        middle = [point.badness for point in some]
        error = [
            [value - max(p.low or value, 1e-3) for p, value in zip(some, middle, strict=True)],
            [(p.high or value) - value for p, value in zip(some, middle, strict=True)],
        ]
        place = [point.seconds for point in some]
        colour = "C1" if beaten else "C0"
        axes.errorbar(
            place, middle, error, fmt=marker, color=colour, ms=8, elinewidth=1, label=label
        )
    for name, point in points.items():
        axes.annotate(
            name, (point.seconds, point.badness), xytext=(7, 5), textcoords="offset points"
        )
    axes.set(xscale="log", yscale="log", xlabel=seconds, ylabel=badness, title=title)
    axes.margins(0.2)
    for axis in (axes.xaxis, axes.yaxis):
        least, most = axis.get_view_interval()
        if most < 10 * least:  # which may hold none of 1, 2 and 5
            axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter("{x:,.4g}")
        else:
            axis.set_major_formatter(_plain)
            axis.set_minor_formatter(_plain)
    axes.tick_params(which="minor", labelsize=7)
    axes.legend(loc="best", fontsize=8)
    return figure


def _plain(value: float, place: float) -> str:
    """1, 2 and 5 of each power of ten, as people write them."""
    return f"{value:,.6g}" if f"{value:e}"[:2] in ("1.", "2.", "5.") else ""
