"""Residual blocks: the identity plus a correction that starts at nothing, so that depth costs no trust."""

from typing import TypeVar

import torch
from torch import Tensor, nn

Layer = TypeVar("Layer", bound=nn.Module)
FEW_IMAGES = 10_000  # that networks of such blocks learn by heart when no unit is left out


class ResidualDense(nn.Module):
    """h + W2 drop(silu(W1 silu(norm(h)))), W2 = 0 at first: (N, F) -> (N, F).

    drop  leaves out no unit until ``set_dropout`` says which share.
    Sources: He et al. 2016, https://arxiv.org/abs/1603.05027 (order of the layers); Ba et al. 2016,
    https://arxiv.org/abs/1607.06450 (norm).
    """

    def __init__(self, features: int):
        super().__init__()
        self.dropout = nn.Dropout(0.0)
        self.norm = nn.LayerNorm(features)
        self.first, self.second = (
            nn.Linear(features, features),
            zero_init(nn.Linear(features, features)),
        )

    def forward(self, h: Tensor) -> Tensor:
        """(N, F) -> (N, F)."""
        inside = self.first(nn.functional.silu(self.norm(h)))
        correction: Tensor = self.second(self.dropout(nn.functional.silu(inside)))
        return h + correction


class ResidualConv(nn.Module):
    """h + conv(drop(silu(norm(conv(silu(norm(h))))))), the last 0 at first: (N, C, H, W) -> the same.

    norm  over groups of 8 channels or so, so that no example depends on another.
    Sources: He et al. 2016, https://arxiv.org/abs/1603.05027; Wu and He 2018,
    https://arxiv.org/abs/1803.08494.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            group_norm(channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            group_norm(channels),
            nn.SiLU(),
            nn.Dropout(0.0),
            zero_init(nn.Conv2d(channels, channels, 3, padding=1)),
        )

    def forward(self, h: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        correction: Tensor = self.layers(h)
        return h + correction


def set_dropout(module: nn.Module, share: float) -> None:
    """Leave out this share of the units in all blocks of a network, at random, while it learns.

    Source: Srivastava et al. 2014, http://jmlr.org/papers/v15/srivastava14a.html.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = share


def group_norm(channels: int) -> nn.GroupNorm:
    """Zero mean and unit variance within each of about C / 8 groups of channels."""
    groups = max(g for g in range(1, max(1, channels // 8) + 1) if channels % g == 0)
    return nn.GroupNorm(groups, channels)


@torch.no_grad()
def zero_init(layer: Layer) -> Layer:
    """The layer with all its weights set to 0."""
    for param in layer.parameters():
        param.zero_()
    return layer
