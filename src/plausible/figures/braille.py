"""Lines in a terminal, of braille signs: two dots across and four down in the place of a letter."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from rich.style import Style
from rich.text import Text

_ACROSS, _DOWN = 2, 4  # dots of a sign
_SIGN = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])  # rows, then columns
_BLANK = 0x2800
_COLOURS = ("bright_blue", "yellow", "magenta", "cyan")  # which the colour-blind tell apart
# without colours lines differ as well: of so many dots so many are drawn
_DASHES = ((1, 1), (4, 2), (3, 1), (4, 3))

Lines = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""{name: (x, y)}, (n,) each."""


def line_style(k: int) -> Style:
    """How the k-th line is drawn."""
    return Style(color=_COLOURS[k % len(_COLOURS)])


def sample_of(k: int) -> str:
    """A piece of the k-th line, for a legend."""
    of, drawn = _DASHES[k % len(_DASHES)]
    dots = np.arange(3 * _ACROSS) % of < drawn
    return "".join(chr(_BLANK + int(_SIGN[2, dots[2 * i : 2 * i + 2]].sum())) for i in range(3))


def plot(
    lines: Lines,
    width: int,
    height: int,
    end: float,
    number: Callable[[float], str],
    *,
    logarithmic: bool = False,
) -> list[Text]:
    """Lines over x from 0 to ``end``, as ``height`` rows of at most ``width`` letters, the scale at their left.

    number  writes the ends of the scale.
    Where there are more values than places, each place shows the mean of its own.
    """
    most = max((len(number(float(v))) for _, y in lines.values() for v in (y.min(), y.max())))
    columns = max(4, width - most - 1)
    drawn = [_placed(x, y, _ACROSS * columns, end) for x, y in lines.values()]
    low, high = _range(drawn)
    scaled = [_scaled(y, low, high, logarithmic) for y in drawn]
    signs = np.zeros((height, columns), int)
    owner = np.zeros((height, columns), int)
    for k, share in enumerate(scaled):
        for row, column in _dots(share, _DOWN * height, _DASHES[k % len(_DASHES)]):
            place = row // _DOWN, column // _ACROSS
            signs[place] |= _SIGN[row % _DOWN, column % _ACROSS]
            owner[place] = k
    scale = {0: number(high), height - 1: number(low)} if high > low else {height // 2: number(low)}
    rows = []
    for i in range(height):
        text = Text(no_wrap=True).append(f"{scale.get(i, ''):>{most}} ", "dim")
        for sign, k in zip(signs[i], owner[i], strict=True):
            text.append(chr(_BLANK + int(sign)), line_style(int(k)))
        rows.append(text)
    return rows


def _placed(x: np.ndarray, y: np.ndarray, places: int, end: float) -> np.ndarray:
    """The means of y at each place of the axis, straight between them, NaN before and after: (n,) -> (places,)."""
    at = np.clip(np.floor(x / max(end, 1) * places), 0, places - 1).astype(int)
    count = np.bincount(at, minlength=places)
    total = np.bincount(at, weights=y, minlength=places)
    known = np.flatnonzero(count)
    every = np.arange(places)
    means = total[known] / count[known]
    return np.interp(every, known, means, left=np.nan, right=np.nan)


def _range(drawn: Sequence[np.ndarray]) -> tuple[float, float]:
    every = np.concatenate(drawn)
    return float(np.nanmin(every)), float(np.nanmax(every))


def _scaled(y: np.ndarray, low: float, high: float, logarithmic: bool) -> np.ndarray:
    """y as a share of the way from low to high; the middle where those are one."""
    if not high > low:
        return np.where(np.isnan(y), np.nan, 0.5)
    if logarithmic and low > 0:
        y, low, high = np.log(y), float(np.log(low)), float(np.log(high))
    return (y - low) / (high - low)


def _dots(share: np.ndarray, rows: int, dash: tuple[int, int]) -> list[tuple[int, int]]:
    """(row, column) of the dots of a line, from 0 at the top, which are joined where it is steep."""
    dots, before = [], None
    for column, value in enumerate(share):
        if np.isnan(value):
            before = None
            continue
        row = round((1 - float(value)) * (rows - 1))
        if column % dash[0] < dash[1]:
            start = row if before is None else before
            step = 1 if row >= start else -1
            joined = range(start + step, row + step, step) if start != row else (row,)
            dots += [(each, column) for each in joined]
        before = row
    return dots
