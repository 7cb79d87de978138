"""Figures as inline SVG that follows the page: its colours in light and dark, its letters, no id twice."""

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NARROW = 4.5  # inches
_POINTS = 400  # coordinates of points that are drawn one by one
_DROPPED = re.compile(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")  # in words < and > are escaped
_ID = re.compile(r'(?<=\bid=")[^"]+|(?<=href="#)[^"]+|(?<=url\(#)[^)]+')
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_FONT = re.compile(r"font-family: [^;\"]*;? ?")

INKS: Mapping[str, str] = {
    "#000000": "ink",
    "#333333": "ink",
    "#1a1a1a": "ink",
    "#666666": "soft",
    "#808080": "soft",
    "#999999": "soft",
    "#a6a6a6": "data",
    "#cccccc": "line",
    "#ffffff": "paper",
    "#00429d": "blue",
    "#1f77b4": "blue",
    "#ff7f0e": "orange",
    "#3f90da": "blue",
    "#ffa90e": "amber",
    "#bd1f01": "red",
    "#832db6": "violet",
    "#a96b59": "brown",
    "#e76300": "orange",
    "#94a4a2": "soft",
    "#1a7f37": "green",
    "#9a6700": "amber",
}
"""{a colour of the figures: the colour of the page that takes its place}; the others stay what they are."""


class Drawn(NamedTuple):
    """An SVG element, and whether its words would be too small in a narrow window."""

    element: Markup
    wide: bool


def inline_svg(figure: "Figure", name: str, says: str) -> Drawn:
    """The figure as one SVG element: ``says`` is read out, and ``name`` makes its ids differ from those of others."""
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "plausible"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    drawn = buffer.getvalue()
    head, rest = _DROPPED.sub("", drawn[drawn.index("<svg") :]).split(">", 1)
    box = re.search(r'viewBox="[^"]+"', head)
    assert box is not None
    rest = _TAG.sub(lambda tag: _fitted(tag[0], name), re.sub(r">\s+<", "><", rest))
    element = Markup(f'<svg {box[0]} role="img" aria-label={quoteattr(says)}>{rest}')
    return Drawn(element, figure.get_figwidth() > _NARROW)


def _fitted(tag: str, name: str) -> str:
    """One tag with an id of its own, the colours of the page and its letters, on one line."""
    tag = _ID.sub(lambda found: f"{name}-{found[0]}", tag)
    tag = _COLOUR.sub(_themed, _FONT.sub("", tag))
    return tag.replace("xlink:href", "href").replace("\n", " ")


def _themed(found: "re.Match[str]") -> str:
    name = INKS.get(found[0])
    return found[0] if name is None else f"var(--{name})"


def drawn_by_lines(figure: "Figure") -> bool:
    """Whether it is small as SVG and needs no paper of its own: it has no pixels and no clouds of points."""
    clouds = sum(np.size(each.get_offsets()) for axes in figure.axes for each in axes.collections)
    return clouds <= _POINTS and not any(axes.images for axes in figure.axes)
