"""Why an answer, as a picture: what each class makes of an input, how probable it is under each, which pixels decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.figures.captions import broken, font
from plausible.figures.colours import ALARM, DATA, SAMPLES, line_style
from plausible.figures.files import Picture, rendered
from plausible.figures.pixels import images
from plausible.recognition.explanation import Explanation, Legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TILE = 112  # pixels a side to which small images are enlarged
_CELL = 158  # of a tile and the words below it, at least
_CURVE = 290
_MARGIN, _LINE = 12, 16
_HEAD, _NAME, _SMALL = 15, 13, 12  # of letters
_INK, _PAPER, _GREY = (20, 20, 20), (255, 255, 255), (95, 95, 95)
_BARS = 20  # columns of a table that get one
Colour = tuple[int, int, int] | str
_WORDS = {"=": "exactly", "≥": "at least", "≤": "at most", "≈": "about"}


def explanation(
    space: Space,
    rows: Sequence[Explanation],
    class_names: Sequence[str],
    legend: Legend,
    *,
    columns: Sequence[str] = (),
    until: float | None = None,
) -> Picture:
    """Each input, what its most probable classes make of it, and where they differ: a block of an image, bars of a vector.

    columns  the names of the coordinates of vectors.
    until    a probability that is drawn into the curve of an input that is uncovered row by row.
    Raises ``UsageError`` for vectors of a model whose log p is no sum over coordinates.
    """
    if not space.is_image:
        return _bars(rows, class_names, columns)
    blocks = [_Block(row, class_names, until) for row in rows]
    width = max(block.width for block in blocks) + 2 * _MARGIN
    words = broken(_told(rows, legend), width - 2 * _MARGIN, _NAME)
    top = 2 * _MARGIN + _LINE * len(words)
    height = top + sum(block.height for block in blocks)
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for k, line in enumerate(words):
        pen.text((_MARGIN, _MARGIN + k * _LINE), line, _GREY, font=font(_NAME))
    for block in blocks:
        pen.line((_MARGIN, top, width - _MARGIN, top), (210, 210, 210))
        sheet.paste(block.drawn(width - 2 * _MARGIN), (_MARGIN, top + 1))
        top += block.height
    return sheet


def _told(rows: Sequence[Explanation], legend: Legend) -> str:
    """What is to be seen, in sentences."""
    first = rows[0]
    sign = first.log_prob.kind.sign
    said = [
        f"Beside each input: {legend.synthesis}, for its most probable classes." if legend.synthesis
        else "This family makes nothing of an input that could be shown: its most probable classes.",
        f"p is p(y | x), calibrated; below it log p(x | y) in nats ({sign}: {_WORDS[sign]}).",
    ]  # fmt: skip
    if first.difference is not None:
        said.append(
            f"The map is by how much more probable each pixel is under the most probable class than under the second "
            f"({legend.difference})."
        )
    if first.uncovered is not None:
        said.append("The curve is p(y | the first rows), exact and not calibrated.")
    return " ".join(said)


@dataclass(frozen=True)
class _Cell:
    """A tile, and lines of words below it with their colours."""

    tile: Image.Image
    lines: Sequence[tuple[str, Colour]]


class _Block:
    """One input: a line about it, then its cells and its curve."""

    def __init__(self, row: Explanation, class_names: Sequence[str], until: float | None):
        self.row, self.until = row, until
        self.names = _called(class_names)
        self.cells = [_Cell(_tile(row.x), [("the input", _INK)]), *self._classes()]
        if row.difference is not None:
            self.cells.append(self._map(row.difference))
        self.tile = max(cell.tile.height for cell in self.cells)
        self.cell = max(_CELL, max(cell.tile.width for cell in self.cells) + _MARGIN)
        curve = _CURVE if row.uncovered is not None else 0
        self.width = self.cell * len(self.cells) + curve
        self.height = _HEAD + 3 * _MARGIN + self.tile + 3 * _LINE + _MARGIN // 2

    def _classes(self) -> list[_Cell]:
        """What each class makes of it, and how probable it is."""
        row, cells = self.row, []
        for k, label in enumerate(row.labels.tolist()):
            tile = _blank(row.x) if row.synthesis is None else _tile(row.synthesis[k])
            lines: list[tuple[str, Colour]] = [
                (self.names[label], _INK),
                (f"p = {row.answer.posterior[label]:.2%}", _INK),
                (row.log_prob.entry(k), _GREY),
            ]
            cells.append(_Cell(tile, lines))
        return cells

    def _map(self, difference: Tensor) -> _Cell:
        nats = difference.sum(0)  # (C, H, W) -> (H, W)
        top = float(nats.abs().max().clamp(min=1e-12))
        size = _tile(self.row.x).size
        tile = Image.fromarray(_diverging(nats / top)).resize(size, Image.Resampling.NEAREST)
        first, second = (self.names[k] for k in self._leading())
        words: list[tuple[str, Colour]] = [
            (f"blue for {first}", SAMPLES),
            (f"red for {second}", ALARM),
            (f"strongest: {top:.3g} nats", _GREY),
        ]
        return _Cell(tile, words)

    def _leading(self) -> list[int]:
        """The labels of the two most probable classes."""
        order = sorted(range(len(self.names)), key=lambda y: -self.row.answer.posterior[y])
        return order[:2]

    def drawn(self, width: int) -> Image.Image:
        """The block as pixels."""
        sheet = Image.new("RGB", (width, self.height - 1), _PAPER)
        pen = ImageDraw.Draw(sheet)
        answer = self.row.answer
        reason = f" ({answer.reason})" if answer.reason else ""
        head = broken(f"{answer.name}: {answer.decision}{reason}", width, _HEAD)
        more = "..." * (len(head) > 1)
        pen.text((0, _MARGIN), head[0] + more, _INK, font=font(_HEAD))
        top = _HEAD + 2 * _MARGIN
        for k, cell in enumerate(self.cells):
            left = k * self.cell
            sheet.paste(cell.tile, (left, top))
            for i, (words, colour) in enumerate(cell.lines):
                place = (left, top + self.tile + 4 + i * _LINE)
                size = _NAME if not i else _SMALL
                pen.text(place, _fitting(words, self.cell - 6, size), colour, font=font(size))
        if self.row.uncovered is not None:
            curve = rendered(self._curve(self.row.uncovered)).convert("RGB")
            sheet.paste(curve, (self.cell * len(self.cells), top - _MARGIN))
        return sheet

    def _curve(self, posterior: Tensor) -> "Figure":
        """p(y | the first rows) of the classes that are shown."""
        from matplotlib.figure import Figure

        high = self.tile + 3 * _LINE + _MARGIN
        figure = Figure(figsize=(_CURVE / 100, high / 100), dpi=100, layout="constrained")
        axes = figure.subplots()
        shown = self.row.labels.tolist()
        led = [label for label in posterior.argmax(1).tolist() if label not in shown]
        for k, label in enumerate([*shown, *dict.fromkeys(led[1:])]):  # the first knows nothing yet
            axes.plot(posterior[:, label].tolist(), label=self.names[label], **line_style(k))
        if self.until is not None:
            axes.axhline(self.until, color=DATA, linewidth=0.8)
        axes.set(xlim=(0, len(posterior) - 1), ylim=(-0.02, 1.02))
        axes.set_xlabel("rows seen", fontsize=8)
        axes.set_ylabel("p(y | them)", fontsize=8)
        axes.tick_params(labelsize=7)
        figure.legend(loc="outside right upper", fontsize=7, handlelength=1.6, borderpad=0.2)
        return figure


def _called(class_names: Sequence[str]) -> list[str]:
    """The classes by their names, of which numbers would be taken for something else."""
    return [f"class {name}" if name.isdigit() else name for name in class_names]


def _tile(x: Tensor) -> Image.Image:
    """One image x (C, H, W), enlarged by a whole factor where it is small."""
    (picture,) = images(x[None])
    if picture.mode == "RGBA":  # on grey, as through glass
        paper = Image.new("RGBA", picture.size, (200, 200, 200, 255))
        picture = Image.alpha_composite(paper, picture)
    factor = max(1, _TILE // max(picture.size))
    size = (picture.width * factor, picture.height * factor)
    return picture.convert("RGB").resize(size, Image.Resampling.NEAREST)


def _blank(x: Tensor) -> Image.Image:
    """A tile of nothing, of the size of that of x, with a line through it."""
    size = _tile(x).size
    tile = Image.new("RGB", size, (235, 235, 235))
    ImageDraw.Draw(tile).line((0, size[1], size[0], 0), (200, 200, 200))
    return tile


def _diverging(share: Tensor) -> np.ndarray:
    """-1 to 1 as red over white to blue: (H, W) -> (H, W, 3) uint8."""
    from matplotlib.colors import to_rgb

    blue, red = (torch.tensor(to_rgb(name), dtype=torch.float64) for name in (SAMPLES, ALARM))
    strength = share.double().abs()[..., None]
    colour = torch.where(share[..., None] > 0, blue, red)
    shade: np.ndarray = (255 * (1 - strength * (1 - colour))).round().to(torch.uint8).numpy()
    return shade


def _fitting(words: str, width: float, size: int) -> str:
    """Words as far as there is room."""
    while len(words) > 4 and font(size).getlength(words) > width:
        words = words[:-4] + "..."
    return words


def _bars(
    rows: Sequence[Explanation], class_names: Sequence[str], columns: Sequence[str]
) -> "Figure":
    """By how many nats each column speaks for the most probable class and against the second, a panel an input."""
    from matplotlib.figure import Figure

    if rows[0].difference is None:
        raise UsageError(
            "an explanation of vectors is a bar for each column, and log p of this model is no sum over columns: of it only "
            "images can be explained"
        )
    names, called = (
        columns or tuple(f"x{k + 1}" for k in range(len(rows[0].x))),
        _called(class_names),
    )
    count = min(_BARS, len(names))
    high = 0.22 * count + 1.1
    figure = Figure(figsize=(7, high * len(rows)), dpi=100, layout="constrained")
    for axes, row in zip(figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows, strict=True):
        _bars_of(axes, row, called, names, count)
    return figure


def _bars_of(
    axes: "Axes", row: Explanation, class_names: Sequence[str], names: Sequence[str], count: int
) -> None:
    """One panel: the columns in their order, the strongest ``count`` of them where there are more."""
    assert row.difference is not None
    nats = row.difference.flatten()
    strongest = nats.abs().topk(count).indices.sort().values.tolist()
    labels = [f"{names[k]} = {row.x.flatten()[k].item():.4g}" for k in strongest]
    values = [float(nats[k]) for k in strongest]
    colours = [SAMPLES if value > 0 else ALARM for value in values]
    axes.barh(range(count), values, color=colours)
    axes.set_yticks(range(count), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_ylabel("column and its value", fontsize=9)
    axes.axvline(0, color="0.2", linewidth=0.8)
    order = sorted(range(len(class_names)), key=lambda y: -row.answer.posterior[y])[:2]
    first, second = (class_names[y] for y in order)
    axes.set_xlabel(f"nats for {first} (right) and against, for {second} (left)", fontsize=9)
    axes.set_title(
        f"{row.answer.name}: {row.answer.decision}, {_odds(row, order, class_names)}",
        fontsize=10,
        loc="left",
    )


def _odds(row: Explanation, labels: Sequence[int], class_names: Sequence[str]) -> str:
    """p(y | x) of some classes, in words."""
    return ", ".join(f"p({class_names[y]}) = {row.answer.posterior[y]:.2%}" for y in labels)
