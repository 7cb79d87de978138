"""What a notebook shows of values: tables and pictures as HTML."""

import base64
import html
import io
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

_SIDE = 56  # pixels an image is shown with at least, so that an 8x8 digit can be seen
_IMAGES, _PIXELS = 32, 2**18  # images that are shown, and pixels of all of them
_ROWS, _COLUMNS = 8, 16  # points that are shown, and their coordinates
_CELL = "padding:2px 10px;text-align:left"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as HTML, every cell as plain text; without column names it has no head."""
    head = "".join(f"<th style='{_CELL}'>{html.escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td style='{_CELL}'>{html.escape(str(c))}</td>" for c in row) + "</tr>"
        for row in rows
    )
    return (
        f"<table>{f'<thead><tr>{head}</tr></thead>' * bool(columns)}<tbody>{body}</tbody></table>"
    )


def line(text: str) -> str:
    """A line of plain text as HTML."""
    return f"<div>{html.escape(text)}</div>"


def points(x: Tensor, labels: Sequence[str] = (), columns: Sequence[str] = ()) -> str:
    """The first of x (N, *shape) as HTML: images side by side, each above its label, vectors as rows of a table.

    columns  the names of the coordinates of vectors.
    """
    if x.ndim == 4:
        return images(x, labels)
    flat = x.flatten(1)  # (N, *shape) -> (N, D)
    dims, more = flat.shape[1], ["..."] * (flat.shape[1] > _COLUMNS)
    names = [*(columns or [f"x{k}" for k in range(1, dims + 1)])[:_COLUMNS], *more]
    few = flat[:_ROWS, :_COLUMNS].cpu().tolist()
    rows = [[*(f"{number:.4g}" for number in row), *more] for row in few]
    if labels:
        names = [*names, "class"]
        rows = [[*row, label] for row, label in zip(rows, labels, strict=False)]
    return table(names, rows) + line("...") * (len(x) > _ROWS)


def images(x: Tensor, labels: Sequence[str] = ()) -> str:
    """The first of x (N, C, H, W) in [0, 1] as HTML, each above its label, enlarged by whole pixels."""
    height, width = x.shape[2:]
    few = x[: max(1, min(_IMAGES, _PIXELS // (height * width)))]
    factor = max(1, _SIDE // max(height, width))
    tiles = []
    for i, pixels in enumerate(_pixels(few)):
        data = base64.b64encode(png(pixels)).decode()
        below = html.escape(labels[i]) if i < len(labels) else ""
        tiles.append(
            f"<div style='margin:2px;text-align:center'><img width='{width * factor}' height='{height * factor}' "
            f"style='image-rendering:pixelated' src='data:image/png;base64,{data}'><br>{below}</div>"
        )
    return f"<div style='display:flex;flex-wrap:wrap'>{''.join(tiles)}</div>"


def picture(content: bytes) -> str:
    """A PNG file as HTML."""
    return f"<img src='data:image/png;base64,{base64.b64encode(content).decode()}'>"


def png(pixels: Tensor) -> bytes:
    """A PNG file of pixels (H, W, C) uint8: grey, RGB or RGBA for C = 1, 3 or 4."""
    from PIL import Image

    array = pixels.squeeze(2).contiguous().numpy()  # (H, W, 1) -> (H, W); colours stay
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "png")
    return buffer.getvalue()


def _pixels(x: Tensor) -> Tensor:
    """x (N, C, H, W) in [0, 1] -> (N, H, W, 1, 3 or 4) uint8; of another number of channels the mean."""
    x = x.detach().float().cpu()
    if x.shape[1] not in (1, 3, 4):
        x = x.mean(1, keepdim=True)  # (N, C, H, W) -> (N, 1, H, W)
    return x.clamp(0, 1).mul(255).round().to(torch.uint8).permute(0, 2, 3, 1)
