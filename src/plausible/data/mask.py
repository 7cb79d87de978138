"""Which pixels of an image are to be drawn: a picture that is white there."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from plausible.core.errors import UsageError


def read_mask(path: str | Path, height: int, width: int) -> Tensor:
    """Which pixels are known, (H, W) bool: those where the picture is black, or transparent.

    A picture of another size is brought to this one, each pixel by the nearest.
    Raises ``UsageError`` for a file that is no picture, or one that leaves nothing to draw.
    """
    try:
        with Image.open(path) as picture:
            grey = picture.convert("LA").resize((width, height), Image.Resampling.NEAREST)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UsageError(f"{path} cannot be read as a picture: {error}") from error
    light, alpha = np.moveaxis(np.asarray(grey), -1, 0).astype(np.float32)  # (H, W) each
    known = torch.from_numpy(light * alpha / 255 < 128)
    if known.all():
        raise UsageError(f"{path} is white nowhere, so that nothing is left to draw")
    return known
