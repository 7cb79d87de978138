"""Pictures made of pixels: images side by side."""

import math

import torch
from PIL import Image
from torch import Tensor

from plausible.core.allocation import need_memory
from plausible.core.errors import UsageError
from plausible.core.space import Space

_SMALLEST, _LARGEST = 56, 112  # pixels a side between which an image is blown up ...
_SHEET = 1000  # ... to fill a sheet of about so many a side
_MOST = 2**27  # pixels of a sheet, beyond what most programs open
_FRAMES = 10_000  # pictures of an animation
_GAP = 4  # pixels between images, at most


def images(x: Tensor) -> list[Image.Image]:
    """One picture for each x (N, C, H, W) in [0, 1], at its own size.

    One channel is grey, three are red, green and blue, four add alpha; of any other number the mean
    is shown.
    """
    codes = x.detach().cpu().clamp(0, 1).mul(255).round().to(torch.uint8)
    if codes.shape[1] not in (1, 3, 4):
        codes = codes.float().mean(1, keepdim=True).round().to(torch.uint8)
    rows = codes.permute(0, 2, 3, 1).numpy()  # (N, C, H, W) -> (N, H, W, C)
    return [Image.fromarray(row[..., 0] if row.shape[2] == 1 else row) for row in rows]


def grid(x: Tensor, columns: int | None = None) -> Image.Image:
    """All of x (N, C, H, W) in rows of ``columns`` (about square), enlarged by a whole factor."""
    tiles = images(x)
    columns = columns or math.ceil(math.sqrt(len(tiles)))
    lines = math.ceil(len(tiles) / columns)
    factor, gap = scale(tiles[0].size, columns, lines)
    width, height = (side * factor + gap for side in tiles[0].size)
    mode = tiles[0].mode
    paper: int | tuple[int, ...] = 128 if mode == "L" else (128,) * 3 + (255,) * (mode == "RGBA")
    sheet = Image.new(mode, (columns * width + gap, lines * height + gap), paper)
    for i, tile in enumerate(tiles):
        large = tile.resize((width - gap, height - gap), Image.Resampling.NEAREST)
        sheet.paste(large, (gap + i % columns * width, gap + i // columns * height))
    return sheet


def check_sheets(space: Space, images: int, sheets: int = 1) -> None:
    """UsageError before so many images are drawn, on each of so many sheets, that nothing could show them."""
    height, width = space.shape[-2:] if space.is_image else (0, 0)
    factor = max(1, _SMALLEST // max(height, width, 1))
    pixels = images * height * width * factor**2
    if pixels > _MOST:
        raise UsageError(
            f"{images:,} images side by side would be a picture of {pixels:,} pixels, and more than {_MOST:,} are "
            f"not drawn: choose fewer, or arrays (.npz)"
        )
    if sheets > _FRAMES:
        raise UsageError(
            f"an animation has at most {_FRAMES:,} pictures, not {sheets:,}: choose fewer"
        )
    need_memory(sheets * pixels * space.shape[0], f"{sheets:,} such pictures take", "choose fewer")


def scale(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """By what whole factor images of (width, height) are enlarged in a grid, and how many pixels lie between them."""
    side, sheet = max(size), max(size[0] * columns, size[1] * rows)
    factor = max(1, _SMALLEST // side, min(_LARGEST // side, _SHEET // sheet))
    return factor, min(max(1, factor // 2), _GAP)


def paired_grid(x: Tensor, y: Tensor, columns: int) -> Image.Image:
    """Lines of at most ``columns`` of x, below each line the y of its images: (N, C, H, W) both."""
    columns = min(columns, len(x))
    whole = -len(x) % columns  # grey tiles that fill the last line
    blank = torch.full((whole, *x.shape[1:]), 0.5)
    lines = [torch.cat([half, blank]).unflatten(0, (-1, columns)) for half in (x, y)]
    return grid(torch.stack(lines, 1).flatten(0, 2), columns)  # (lines, 2, columns, C, H, W)


def completion_grid(x: Tensor, known: Tensor, draws: Tensor) -> Image.Image:
    """In each row an image, what of it is known (the rest is grey), and draws of the rest.

    x (N, C, H, W), known (H, W), draws (N, n, C, H, W).
    """
    part = torch.where(known, x, torch.full_like(x, 0.5))  # (N, C, H, W)
    rows = torch.cat([x[:, None], part[:, None], draws], 1)  # (N, 2 + n, C, H, W)
    return grid(rows.flatten(0, 1), rows.shape[1])
