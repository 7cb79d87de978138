"""What a task returned as one HTML page that needs nothing else: templates, and what fills them."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from plausible.pages.pictures import as_pixels, fit_pictures, still
from plausible.pages.sections import (
    pictures_of_comparison,
    pictures_of_run,
    sections_of_comparison,
    sections_of_run,
)
from plausible.pages.svg import drawn_by_lines, inline_svg
from plausible.tasks.comparison_report import ComparisonReport
from plausible.tasks.report import RunReport
from plausible.tasks.report_pictures import Film, Shown
from plausible.tasks.save import save_bytes

LIMIT = 5_000_000
"""Bytes that a page takes at most."""
_WORDS = 200_000  # of them for what is no picture


def document(found: RunReport | ComparisonReport) -> str:
    """The page of a run or of a comparison: one HTML document with everything in it, at most 5 MB."""
    if isinstance(found, ComparisonReport):
        parts = sections_of_comparison(found)
        return _filled(
            "comparison", pictures_of_comparison(found), [], report=found, sections=parts
        )
    films = [] if found.film is None else [found.film]
    return _filled(
        "run", pictures_of_run(found), films, report=found, sections=sections_of_run(found)
    )


def save_page(found: RunReport | ComparisonReport, out: str | Path) -> Path:
    """Write the page to a file, and where it is; UsageError for a place that cannot be written to."""
    place = Path(out)
    save_bytes(place, document(found).encode())
    return place


def _filled(kind: str, shown: Sequence[Shown], films: Sequence[Film], **values: Any) -> str:
    """The template of a kind of page with these pictures in it, each under its name p1, p2, ..."""
    names = {id(each): f"p{i}" for i, each in enumerate((*shown, *films), 1)}
    lines = {
        names[id(each)]: inline_svg(each.picture, names[id(each)], each.says)
        for each in shown
        if not isinstance(each.picture, Image.Image) and drawn_by_lines(each.picture)
    }
    pixels = {
        names[id(each)]: as_pixels(each.picture) for each in shown if names[id(each)] not in lines
    }
    stills = {f"{names[id(film)]}-still": still(film.content) for film in films}
    room = LIMIT - _WORDS - sum(len(drawn.element.encode()) for drawn in lines.values())
    fitted = fit_pictures(pixels | stills, {names[id(film)]: film.content for film in films}, room)
    page = _templates().get_template(f"{kind}.html")
    return page.render(
        kind=kind,
        name_of=lambda each: names[id(each)],
        lines=lines,
        pictures=fitted.inline,
        fitting=fitted.notes,
        **values,
    )


@cache
def _templates() -> Environment:
    """The templates of this folder, which escape every text that is put into them."""
    templates = Environment(
        loader=PackageLoader("plausible.pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    style = (Path(__file__).parent / "templates" / "style.css").read_text("utf-8")
    templates.globals["style"] = Markup(style)
    templates.filters |= FILTERS
    return templates


def percent(value: float) -> str:
    """A share as it is read: 6.0%, and 12% without a fraction."""
    return f"{value:.0%}" if abs(value) >= 0.1 else f"{value:.1%}"


def between(interval: tuple[float, float]) -> str:
    """An interval of shares: 4.0 to 7.9%."""
    low, high = interval
    return f"{100 * low:.1f} to {100 * high:.1f}%"


def signed(value: float) -> str:
    """A difference of shares: +4.0%."""
    return f"{value:+.1%}"


def sentence(text: str) -> str:
    """The same, begun with a capital letter."""
    return text[:1].upper() + text[1:]


def whole(number: float) -> str:
    """A count with its thousands apart."""
    return f"{number:,.0f}"


FILTERS: Mapping[str, Any] = {
    "percent": percent,
    "between": between,
    "sentence": sentence,
    "signed": signed,
    "whole": whole,
}
