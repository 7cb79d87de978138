"""Images as they are after they were saved as JPEG."""

from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

QUALITY = 75
"""What most programs save with unless they are asked."""


def saved_again(x: Tensor, quality: int = QUALITY) -> Tensor:
    """Each image saved as JPEG and opened again: x (N, C, H, W) in [0, 1] -> (N, C, H, W).

    Three channels are colours; of another number each is a grey image, and so is what comes after the first three.
    """
    if not x.numel():
        return x
    codes = x.mul(255).round().clamp(0, 255).byte()
    return torch.stack([_saved(image, quality) for image in codes]).to(x) / 255


def _saved(codes: Tensor, quality: int) -> Tensor:
    """(C, H, W) uint8 -> (C, H, W) uint8."""
    colours = 3 if len(codes) >= 3 else 0
    pictures = [codes[:colours].movedim(0, -1)] if colours else []  # (H, W, 3)
    pictures += list(codes[colours:])  # (H, W) each
    opened = [_opened(picture, quality) for picture in pictures]
    return torch.cat([x.movedim(-1, 0) if x.dim() == 3 else x[None] for x in opened])


def _opened(codes: Tensor, quality: int) -> Tensor:
    file = BytesIO()
    Image.fromarray(codes.contiguous().numpy()).save(file, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(file)))
