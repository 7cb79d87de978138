"""Images at several scales: pixels folded into channels, and half of these finished at each scale."""

import torch
from torch import Tensor, nn

from plausible.models.flow.bijection import Bijection, Composed


class Squeeze(Bijection):
    """(N, C, H, W) -> (N, a b C, H / a, W / b): blocks of a x b pixels become channels of one place."""

    def __init__(self, rows: int, columns: int):
        super().__init__()
        self.rows, self.columns = rows, columns

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) -> (N, a b C, H / a, W / b)."""
        parts: Tensor = x.unflatten(3, (-1, self.columns)).unflatten(2, (-1, self.rows))
        folded = parts.permute(0, 3, 5, 1, 2, 4)  # (N, C, h, a, w, b) -> (N, a, b, C, h, w)
        return folded.flatten(1, 3), x.new_zeros(len(x))

    def inverse(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """(N, a b C, h, w) -> (N, C, a h, b w)."""
        parts: Tensor = z.unflatten(1, (self.rows, self.columns, -1))  # (N, a, b, C, h, w)
        return parts.permute(0, 3, 4, 1, 5, 2).flatten(4, 5).flatten(2, 3)


class MultiScale(Bijection):
    """x (N, C, H, W) -> z (N, D): at each scale some maps, then the second half of the channels is part of z, and done.

    The rest goes on to the next scale, so that most of the work is done on few numbers.
    scales  the maps of each, and the shape (C, H, W) that they leave behind.
    Source: Dinh et al. 2017, https://arxiv.org/abs/1605.08803.
    """

    def __init__(self, scales: list[tuple[Composed, tuple[int, int, int]]]):
        super().__init__()
        self.scales = nn.ModuleList(maps for maps, _ in scales)
        self.shapes = [shape for _, shape in scales]

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (N, C, H, W) -> z (N, D) and log |det| (N,)."""
        total, done = x.new_zeros(len(x)), []
        for maps, shape in zip(self.scales, self.shapes, strict=True):
            x, log_det = maps(x, y)
            total = total + log_det
            kept = self._kept(shape)
            done.append(x[:, kept:].flatten(1))
            x = x[:, :kept]
        return torch.cat(done, 1), total

    def inverse(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The x of z (N, D)."""
        sizes = [(shape[0] - self._kept(shape)) * shape[1] * shape[2] for shape in self.shapes]
        parts: tuple[Tensor, ...] = z.split(sizes, 1)
        x: Tensor | None = None
        for maps, shape, part in reversed(list(zip(self.scales, self.shapes, parts, strict=True))):
            done = part.unflatten(1, (-1, *shape[1:]))  # (N, C - kept, H, W)
            x = maps.inverse(done if x is None else torch.cat([x, done], 1), y)  # type: ignore[operator]
        assert x is not None
        return x

    def _kept(self, shape: tuple[int, int, int]) -> int:
        """Channels that go on to the next scale: none from the last."""
        return 0 if shape == self.shapes[-1] else shape[0] // 2
