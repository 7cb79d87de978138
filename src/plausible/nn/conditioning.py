"""What a network is told besides its input, such as a time or a class, and residual blocks that listen to it."""

import math

import torch
from torch import Tensor, nn

from plausible.nn.residual import group_norm, zero_init

_FREQUENCIES = 16  # of each number told, from a quarter of a wave in a unit to ...
_HIGHEST = 64.0  # ... so many waves


class Conditioning(nn.Module):
    """Numbers and a class to features: times (N, T), y (N,) -> (N, F).

    Numbers by sines and cosines of 16 frequencies (Tancik et al. 2020, https://arxiv.org/abs/2006.10739); classes by
    an embedding, of which the last entry stands for no class.
    """

    frequencies: Tensor

    def __init__(self, times: int, classes: int, features: int):
        super().__init__()
        steps = torch.linspace(math.log(0.25), math.log(_HIGHEST), _FREQUENCIES)
        self.register_buffer("frequencies", 2 * math.pi * steps.exp(), persistent=False)
        self.net = nn.Sequential(
            nn.Linear(2 * _FREQUENCIES * times, features), nn.SiLU(), nn.Linear(features, features)
        )
        self.classes = nn.Embedding(classes + 1, features) if classes else None
        if self.classes is not None:
            nn.init.normal_(self.classes.weight, std=0.02)

    def forward(self, times: Tensor, y: Tensor | None) -> Tensor:
        """times (N, T), y (N,) with ``classes`` for none -> (N, F)."""
        angles = (times[:, :, None] * self.frequencies).flatten(1)  # (N, T) -> (N, 16 T)
        features: Tensor = self.net(torch.cat([angles.sin(), angles.cos()], 1))
        if self.classes is not None:
            unknown = len(self.classes.weight) - 1
            y = y if y is not None else torch.full_like(times[:, 0], unknown, dtype=torch.long)
            features = features + self.classes(y)
        return nn.functional.silu(features)


class ConditionedDense(nn.Module):
    """h + W2 silu(W1 silu((1 + a) norm(h) + b)), a and b linear in the conditions: (N, F), (N, E) -> (N, F).

    W2 is 0 at first, a and b are nearly so.  Source: Perez et al. 2018, https://arxiv.org/abs/1709.07871.
    """

    def __init__(self, features: int, conditions: int):
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.modulation = _near_zero(nn.Linear(conditions, 2 * features))
        self.first, self.second = (
            nn.Linear(features, features),
            zero_init(nn.Linear(features, features)),
        )

    def forward(self, h: Tensor, conditions: Tensor) -> Tensor:
        """(N, F), (N, E) -> (N, F)."""
        scale, shift = self.modulation(conditions).chunk(2, 1)  # (N, F) each
        inside = nn.functional.silu(self.norm(h) * (1 + scale) + shift)
        correction: Tensor = self.second(nn.functional.silu(self.first(inside)))
        return h + correction


class ConditionedConv(nn.Module):
    """h + conv(drop(silu((1 + a) norm(conv(silu(norm(h)))) + b))): (N, C, H, W), (N, E) -> the same.

    The last convolution is 0 at first, a and b are nearly so.  Source: Dhariwal and Nichol 2021,
    https://arxiv.org/abs/2105.05233.
    """

    def __init__(self, channels: int, conditions: int):
        super().__init__()
        self.norm, self.inner_norm = group_norm(channels), group_norm(channels)
        self.modulation = _near_zero(nn.Linear(conditions, 2 * channels))
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.dropout = nn.Dropout(0.0)
        self.second = zero_init(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, h: Tensor, conditions: Tensor) -> Tensor:
        """(N, C, H, W), (N, E) -> (N, C, H, W)."""
        scale, shift = self.modulation(conditions)[:, :, None, None].chunk(
            2, 1
        )  # (N, C, 1, 1) each
        inside = self.inner_norm(self.first(nn.functional.silu(self.norm(h))))
        inside = self.dropout(nn.functional.silu(inside * (1 + scale) + shift))
        correction: Tensor = self.second(inside)
        return h + correction


class Attention(nn.Module):
    """h + every place's mean of all places, weighted by softmax(q k / sqrt d): (N, C, H, W) -> the same.

    In heads of about 32 channels; what it adds is 0 at first.  Source: Vaswani et al. 2017,
    https://arxiv.org/abs/1706.03762.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.heads = max(1, channels // 32)
        while channels % self.heads:
            self.heads -= 1
        self.norm = group_norm(channels)
        self.ask = nn.Conv2d(channels, 3 * channels, 1)
        self.answer = zero_init(nn.Conv2d(channels, channels, 1))

    def forward(self, h: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        n, c, height, width = h.shape
        # (N, 3 C, H, W) -> (3, N, heads, H W, d)
        asked = self.ask(self.norm(h)).view(n, 3, self.heads, c // self.heads, height * width)
        q, k, v = asked.permute(1, 0, 2, 4, 3)
        # by hand, because the fused kernel has no forward-mode derivative
        weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)  # (N, heads, H W, H W)
        mixed = (weights @ v).mT.reshape(n, c, height, width)
        answer: Tensor = self.answer(mixed)
        return h + answer


def _near_zero(layer: nn.Linear) -> nn.Linear:
    """The layer with small weights: all that it tells apart at first is a little."""
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer
