"""Words beside pictures: a title above, the names of rows at the left."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_TITLE, _ROW = 18, 15  # pixels of a letter
_MARGIN = 8
_WIDEST = 220  # pixels for the names of rows
_INK = 20


def captioned(picture: Image.Image, title: str = "", rows: Sequence[str] = ()) -> Image.Image:
    """The picture with a title above it and, at the left, the names of its rows, which are of the same height.

    Names that are too long are cut; the pixels of the picture stay what they are.
    """
    left = _widest(rows) + 2 * _MARGIN if any(rows) else 0
    lines = broken(title, picture.width + left - 2 * _MARGIN, _TITLE)
    top = len(lines) * (_TITLE + 4) + 2 * _MARGIN if lines else 0
    mode = "RGB" if picture.mode == "P" else picture.mode
    paper: int | tuple[int, ...] = 255 if mode == "L" else (255,) * len(mode)
    ink: int | tuple[int, ...] = _INK if mode == "L" else (_INK,) * 3 + (255,) * (mode == "RGBA")
    sheet = Image.new(mode, (picture.width + left, picture.height + top), paper)
    sheet.paste(picture.convert(mode), (left, top))
    pen = ImageDraw.Draw(sheet)
    for i, line in enumerate(lines):
        pen.text((_MARGIN, _MARGIN + i * (_TITLE + 4)), line, ink, font=font(_TITLE))
    for i, name in enumerate(rows):
        middle = top + (i + 0.5) * picture.height / len(rows)
        pen.text((_MARGIN, middle), _cut(name), ink, font=font(_ROW), anchor="lm")
    return sheet


def broken(words: str, width: float, size: int) -> list[str]:
    """Words of this size broken so that each line fits into so many pixels."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font(size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _cut(name: str) -> str:
    """A name as far as there is room."""
    if font(_ROW).getlength(name) <= _WIDEST:
        return name
    while name and font(_ROW).getlength(f"{name}...") > _WIDEST:
        name = name[:-1]
    return f"{name}..."


def _widest(names: Sequence[str]) -> int:
    return round(max(font(_ROW).getlength(_cut(name)) for name in names))


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and has most alphabets."""
    import matplotlib

    place = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(place), size)
