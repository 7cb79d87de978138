"""Differentiable augmentation: what D sees of data and samples alike is changed at random.

Each change happens to each image with probability p.  As long as p stays clearly below 1 the game
still has only one solution, q = p, because the distribution can be told from its augmented one.
Sources: Zhao et al. 2020, https://arxiv.org/abs/2006.10738; Karras et al. 2020,
https://arxiv.org/abs/2006.06676.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from plausible.core.registry import Registry

augmentations: Registry[Callable[[Tensor], Tensor]] = Registry("augmentation")
"""f(x) -> x: images (N, C, H, W) in standard units, all of them changed."""


def _colours(x: Tensor) -> int:
    """How many leading channels are colours: the last of 2 or 4 is opacity."""
    return x.shape[1] - (x.shape[1] in (2, 4))


def _uniform(x: Tensor, low: float, high: float) -> Tensor:
    return torch.rand(len(x), 1, 1, 1, device=x.device, dtype=x.dtype) * (high - low) + low


@augmentations
def color(x: Tensor) -> Tensor:
    """Brightness + U(-0.5, 0.5), saturation x U(0, 2), contrast x U(0.5, 1.5); opacity stays."""
    k = _colours(x)
    c, rest = x[:, :k], x[:, k:]
    c = c + _uniform(x, -0.5, 0.5)
    if k == 3:
        grey = c.mean(1, keepdim=True)  # (N, 3, H, W) -> (N, 1, H, W)
        c = grey + (c - grey) * _uniform(x, 0, 2)
    mean = c.mean((1, 2, 3), keepdim=True)  # (N, k, H, W) -> (N, 1, 1, 1)
    c = mean + (c - mean) * _uniform(x, 0.5, 1.5)
    return torch.cat([c, rest], 1)  # (N, k, ...) and (N, C - k, ...) -> (N, C, H, W)


@augmentations
def translation(x: Tensor) -> Tensor:
    """Shifted by up to an eighth of each side, whole pixels; what comes in is the nearest edge."""
    n, c, h, w = x.shape
    rows, columns = (
        (
            torch.arange(side, device=x.device)
            + torch.randint(-(side // 8), side // 8 + 1, (n, 1), device=x.device)
        ).clamp(0, side - 1)
        for side in (h, w)
    )  # (N, H) and (N, W)
    x = x.gather(2, rows[:, None, :, None].expand(n, c, h, w))
    return x.gather(3, columns[:, None, None, :].expand(n, c, h, w))


@augmentations
def cutout(x: Tensor) -> Tensor:
    """A box of half of each side, anywhere, is set to 0, mid grey."""
    n, _, h, w = x.shape
    inside = []
    for side in (h, w):
        start = torch.randint(-(side // 4), side - side // 4 + 1, (n, 1), device=x.device)
        place = torch.arange(side, device=x.device)
        inside.append((place >= start) & (place < start + side // 2))  # (N, side)
    box = inside[0][:, None, :, None] & inside[1][:, None, None, :]  # (N, 1, H, W)
    return x.masked_fill(box, 0.0)


@augmentations
def flip(x: Tensor) -> Tensor:
    """Mirrored left to right: only right where a mirror image is as real as the image."""
    return x.flip(3)


def augment(x: Tensor, names: Sequence[str], p: float | Tensor) -> Tensor:
    """Each of the named changes to each image of x (N, C, H, W) with probability p; same shape."""
    for name in names:
        chosen = torch.rand(len(x), 1, 1, 1, device=x.device) < p  # (N, 1, 1, 1)
        x = torch.where(chosen, augmentations[name](x), x)
    return x
