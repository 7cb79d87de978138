"""Colours that the colour-blind tell apart, each with a dash and a mark of its own, so that grey paper does too."""

from typing import Any

DATA, SAMPLES, ALARM = "0.65", "#00429d", "#bd1f01"
"""Of real data, which are light; of what a model draws, which is dark; of what is wrong, which is dashed as well."""

# the cycle of ten of Petroff 2021, https://arxiv.org/abs/2107.02270
COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
_DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")


def line_style(k: int) -> dict[str, Any]:
    """How the k-th of several lines is drawn."""
    return {"color": COLOURS[k % len(COLOURS)], "linestyle": _DASHES[k % len(_DASHES)]}


def mark_style(k: int) -> dict[str, Any]:
    """How the points of the k-th of several classes are drawn."""
    return {"color": COLOURS[k % len(COLOURS)], "marker": _MARKS[k % len(_MARKS)]}


def bar_style(colour: str) -> dict[str, Any]:
    """How bars are drawn: those of data are filled, and those of samples an outline over them."""
    return {"color": colour, "histtype": "stepfilled" if colour == DATA else "step"}


def outlined(size: float) -> dict[str, Any]:
    """How words are written over points, so that they can be read on any colour."""
    from matplotlib.patheffects import withStroke

    white = [withStroke(linewidth=3, foreground="white")]
    return {"fontsize": size, "fontweight": "bold", "color": "0.1", "path_effects": white}
