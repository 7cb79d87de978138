"""The curves of a training that a person can read, with its alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image
from torch import Tensor

from plausible.core.reading import D_FAKE, D_REAL, LOSS, Reading
from plausible.diagnosis.garbage import GARBAGE
from plausible.diagnosis.history import History
from plausible.diagnosis.missing_modes import FRECHET_RATIO, MISSED_SHARE
from plausible.diagnosis.overfitting import VALIDATION_LOSS
from plausible.figures.plots import rendered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FITTED = (
    Reading("log likelihood"),
    Reading("cost"),
)  # of models that learn by a method of their own
_OWN = 200  # values, up to which each is a dot of a line


@dataclass(frozen=True)
class _Panel:
    """Curves {name: (steps, values)} under a title, one below the other panels."""

    title: str
    lines: Mapping[str, tuple[Tensor, Tensor]]
    percent: bool = False
    logarithmic: bool = False
    level: float | None = None


def learning_curves(
    history: History, alarms: Sequence[tuple[float, str]] = ()
) -> Image.Image | None:
    """What the log of a training says in panels one below the other; None where it says nothing.

    alarms  (step, what was raised), each marked where it was.
    """
    from matplotlib.figure import Figure

    panels = [panel for panel in _panels(history) if panel.lines]
    if not panels:
        return None
    figure = Figure(figsize=(8, 0.6 + 2.2 * len(panels)), dpi=100, layout="constrained")
    grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(grid, panels, strict=True):
        _draw(axes, panel)
    for i, (step, name) in enumerate(alarms):
        for axes in grid:
            axes.axvline(step, color="C3", linestyle="--", linewidth=1)
        late = 2 * step > history.steps  # then there is room at the left
        grid[0].annotate(
            name, (step, 0.97 - 0.12 * (i % 4)), xycoords=("data", "axes fraction"), fontsize=8,
            color="C3", va="top", ha="right" if late else "left", xytext=(-3 if late else 3, 0),
            textcoords="offset points",
        )  # fmt: skip
    grid[-1].set_xlabel("rounds")
    return rendered(figure)


def _panels(history: History) -> list[_Panel]:
    losses = {who: history.series_of(who, LOSS) for who in history.players}
    alone = len(losses) == 1
    losses = {"on training examples" if alone else who: line for who, line in losses.items()}
    losses["on new examples"] = history.series(VALIDATION_LOSS)
    fitted = {
        str(name): history.series_of(who, name) for who in history.players for name in _FITTED
    }
    said = {
        name: _first(history, reading)
        for name, reading in (("of data", D_REAL), ("of samples", D_FAKE))
    }
    shares = {
        "kinds that are missing": history.series(MISSED_SHARE),
        "samples like nothing in the data": history.series(GARBAGE),
    }
    lower = "" if len(history.players) > 1 else ": lower is better"
    return [
        _Panel(f"loss{lower}", _there(losses)),
        _Panel("fit", _there(fitted)),
        _Panel(
            "distance of samples from data: lower is better, 1 is that of real data",
            _there({"samples": history.series(FRECHET_RATIO)}),
            logarithmic=True,
            level=1.0,
        ),
        _Panel("shares of the data and of the samples: 0% is best", _there(shares), percent=True),
        _Panel(
            "how likely the discriminator says each is real: the same where it cannot tell",
            _there(said),
            percent=True,
            level=0.5,
        ),
    ]


def _first(history: History, reading: Reading) -> tuple[Tensor, Tensor]:
    """The series of the first player that says it."""
    found = [history.series_of(who, reading) for who in history.players]
    return next((line for line in found if len(line[0])), history.series(reading))


def _there(lines: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, tuple[Tensor, Tensor]]:
    return {name: line for name, line in lines.items() if len(line[0])}


def _draw(axes: "Axes", panel: _Panel) -> None:
    for name, (steps, values) in panel.lines.items():
        shown = 100 * values if panel.percent else values
        few = len(steps) <= _OWN // 10
        axes.plot(
            steps.numpy(),
            shown.numpy(),
            label=name,
            linewidth=1.2 if len(steps) <= _OWN else 0.7,
            marker="o" if few else "",
            markersize=3,
        )
    if panel.level is not None:
        axes.axhline(panel.level * (100 if panel.percent else 1), color="0.6", linewidth=0.8)
    if panel.logarithmic and all(bool((values > 0).all()) for _, values in panel.lines.values()):
        axes.set_yscale("log")
    axes.set_title(panel.title, loc="left", fontsize=10)
    if panel.percent:
        axes.set_ylabel("%")
    axes.tick_params(labelsize=8)
    if len(panel.lines) > 1:
        axes.legend(fontsize=8, loc="best")
