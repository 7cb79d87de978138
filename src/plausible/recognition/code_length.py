"""How many bits an image takes in a standard lossless code."""

import io
import math

import numpy as np
import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.images import MODES


def code_length(x: Tensor, space: Space) -> Tensor:
    """L(x), the length of each image as a PNG file, in nats: x (N, *shape) -> (N,) float64.

    Nats = bits ln 2.  The fixed cost of a PNG's header is in it, the same for every image.
    UsageError: points that are no images of 1, 3 or 4 channels.
    """
    from PIL import Image

    if not space.is_image or space.shape[0] not in MODES:
        raise UsageError("only images of 1, 3 or 4 channels have a standard lossless code")
    codes = space.codes(x).cpu().numpy()  # (N, C, H, W) uint8
    if space.levels == 2:
        codes = codes * 255
    lengths = []
    for image in np.moveaxis(codes, 1, 3):  # (N, C, H, W) -> (N, H, W, C)
        picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
        picture = picture.convert("1") if space.levels == 2 and image.shape[2] == 1 else picture
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", optimize=True)
        lengths.append(8 * buffer.tell())
    return torch.tensor(lengths, dtype=torch.float64) * math.log(2)
