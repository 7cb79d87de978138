"""The space of z behind the samples."""

import torch
from torch import Tensor


def great_circle(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """``steps`` points from start to end along a great circle: (N, d), (N, d) -> (N, steps, d).

    Directions turn at constant speed and lengths change linearly, because nearly all of N(0, I)
    lies at distance about sqrt(d), where a straight line would leave it for the middle.
    Source: White 2016, https://arxiv.org/abs/1609.04468.
    """
    t = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]  # (steps, 1)
    a, b = start.norm(dim=1)[:, None, None], end.norm(dim=1)[:, None, None]  # (N, 1, 1)
    u, v = start[:, None] / a, end[:, None] / b  # (N, 1, d)
    angle = (u * v).sum(2, keepdim=True).clamp(-1, 1).acos()  # (N, 1, 1)
    sine = angle.sin()
    turned = (((1 - t) * angle).sin() * u + (t * angle).sin() * v) / sine  # (N, steps, d)
    straight = (1 - t) * u + t * v  # the limit where the two directions agree
    direction = torch.where(sine > 1e-4, turned, straight)
    return direction * ((1 - t) * a + t * b)
