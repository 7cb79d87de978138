"""Networks from a point and what is told of it to a point of the same shape: a U-Net for images, blocks for vectors."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle

from plausible.nn.conditioning import Attention, ConditionedConv, ConditionedDense, Conditioning
from plausible.nn.residual import zero_init

_FULL = 16  # pixels a side up to which the first level has full size
_LARGEST = 32  # pixels a side of the first level, at most
_SMALLEST = 8  # pixels a side of the last level, about; it attends to all places
_FEATURES = 4  # times the width: features of what is told


def patch_size(shape: tuple[int, ...]) -> int:
    """Pixels a side that the first level sees as one: 1 up to 16 pixels, then 2, and 4 beyond 64.

    A convolution at full size takes most of the time for the least of the work.
    """
    side = max(shape[1:])
    patch = 1 if side <= _FULL else 2
    while side > _LARGEST * patch:
        patch *= 2
    return patch


def level_widths(shape: tuple[int, ...], width: int) -> list[int]:
    """Channels of each level: ``width`` at the first and twice that at all below, halving down to about 8 pixels."""
    side, widths = -(-max(shape[1:]) // patch_size(shape)), [width]
    while side > _SMALLEST:
        side = -(-side // 2)
        widths.append(2 * width)
    return widths if len(widths) > 1 else [width, 2 * width]


class UNet(nn.Module):
    """x (N, C, H, W), times (N, T), y (N,) -> (N, C, H, W): down to about 8 x 8 places, and up again.

    Residual blocks on the way down and as many on the way up, which sees what the way down saw; at the bottom every
    place attends to all.  The output is 0 at first.
    forward_mode  keep the layout in which group norms have forward-mode derivatives, which is a little slower.
    Sources: Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597; Ho et al. 2020, https://arxiv.org/abs/2006.11239.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        width: int,
        blocks: int,
        times: int,
        classes: int,
        *,
        forward_mode: bool = False,
    ):
        super().__init__()
        self.patch = patch_size(shape)
        widths, told = level_widths(shape, width), _FEATURES * width
        self.multiple = self.patch * 2 ** (len(widths) - 1)
        pixels = shape[0] * self.patch**2
        self.conditioning = Conditioning(times, classes, told)
        self.into = nn.Conv2d(pixels, widths[0], 3, padding=1)
        self.down = nn.ModuleList([_Blocks(w, blocks, told) for w in widths[:-1]])
        self.up = nn.ModuleList([_Blocks(w, blocks, told) for w in widths[:-1]])
        self.fold = nn.ModuleList([nn.Conv2d(4 * a, b, 1) for a, b in pairwise(widths)])
        self.unfold = nn.ModuleList([nn.Conv2d(b, 4 * a, 1) for a, b in pairwise(widths)])
        self.merge = nn.ModuleList([nn.Conv2d(2 * w, w, 1) for w in widths[:-1]])
        self.bottom, self.bottom_after = (_Blocks(widths[-1], blocks, told) for _ in range(2))
        self.attention = Attention(widths[-1])
        self.out = zero_init(nn.Conv2d(widths[0], pixels, 3, padding=1))
        if not forward_mode:
            self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, times: Tensor, y: Tensor | None = None) -> Tensor:
        """x (N, C, H, W), times (N, T), y (N,) -> (N, C, H, W)."""
        told = self.conditioning(times, y)  # (N, E)
        height, width = x.shape[2:]
        below, right = -height % self.multiple, -width % self.multiple
        if below or right:
            x = pad(x, (0, right, 0, below), mode="replicate")  # whole patches at every level
        h = self.into(pixel_unshuffle(x, self.patch))  # (N, p^2 C, H / p, W / p) -> (N, F, ...)
        seen = []
        for blocks, fold in zip(self.down, self.fold, strict=True):
            h = blocks(h, told)
            seen.append(h)
            h = fold(pixel_unshuffle(h, 2))  # (N, F, h, w) -> (N, F', h / 2, w / 2)
        h = self.bottom_after(self.attention(self.bottom(h, told)), told)
        for i in reversed(range(len(seen))):
            h = pixel_shuffle(self.unfold[i](h), 2)  # (N, F', h / 2, w / 2) -> (N, F, h, w)
            h = self.merge[i](torch.cat([h, seen[i]], 1))
            h = self.up[i](h, told)
        out = pixel_shuffle(self.out(nn.functional.silu(h)), self.patch)
        return out[:, :, :height, :width]


class _Blocks(nn.Module):
    """Residual blocks one after another: (N, C, H, W), (N, E) -> (N, C, H, W)."""

    def __init__(self, channels: int, count: int, told: int):
        super().__init__()
        self.blocks = nn.ModuleList([ConditionedConv(channels, told) for _ in range(count)])

    def forward(self, h: Tensor, told: Tensor) -> Tensor:
        for block in self.blocks:
            h = block(h, told)
        return h


class FourierFeatures(nn.Module):
    """x and sin(2^k x), cos(2^k x) of each coordinate, k = 0 ... K - 1: (N, D) -> (N, D (1 + 2 K)).

    With them a network of few coordinates learns fine structure that it would otherwise learn last.
    Source: Tancik et al. 2020, https://arxiv.org/abs/2006.10739.
    """

    frequency: Tensor

    def __init__(self, octaves: int):
        super().__init__()
        self.register_buffer("frequency", 2.0 ** torch.arange(octaves), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, D (1 + 2 K))."""
        angles = (x[:, :, None] * self.frequency).flatten(1)  # (N, D, 1) -> (N, D K)
        return torch.cat([x, angles.sin(), angles.cos()], 1)


class ConditionedPerceptron(nn.Module):
    """x (N, D), times (N, T), y (N,) -> (N, D), by residual blocks of ``width`` features; 0 at first.

    octaves  of ``FourierFeatures`` of x beside x.
    """

    def __init__(
        self, dims: int, width: int, blocks: int, times: int, classes: int, octaves: int = 0
    ):
        super().__init__()
        self.conditioning = Conditioning(times, classes, width)
        self.into = nn.Sequential(
            FourierFeatures(octaves), nn.Linear(dims * (1 + 2 * octaves), width)
        )
        self.blocks = nn.ModuleList([ConditionedDense(width, width) for _ in range(blocks)])
        self.norm, self.out = nn.LayerNorm(width), zero_init(nn.Linear(width, dims))

    def forward(self, x: Tensor, times: Tensor, y: Tensor | None = None) -> Tensor:
        """x (N, D), times (N, T), y (N,) -> (N, D)."""
        told, h = self.conditioning(times, y), self.into(x)
        for block in self.blocks:
            h = block(h, told)
        out: Tensor = self.out(nn.functional.silu(self.norm(h)))
        return out
