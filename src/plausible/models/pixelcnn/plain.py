"""The plain network: one stack of masked residual blocks."""

from torch import Tensor, nn
from torch.nn.functional import relu

from plausible.nn.causal import Head, HorizontalConv, MaskedConv, PixelCache, RowCache


class Block(nn.Module):
    """h <- h + W2 relu(masked(relu(W1 relu(h)))), half as wide inside."""

    def __init__(self, width: int, kernel: int, groups: int, classes: int, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        half = max(width // groups // 2, 1) * groups
        self.narrow = HorizontalConv(width, half, 1, groups, strict=False)
        self.masked = MaskedConv(half, half, kernel, groups, strict=False)
        self.widen = HorizontalConv(half, width, 1, groups, strict=False)
        self.label = nn.Embedding(classes, half) if classes else None

    def forward(self, h: Tensor, y: Tensor | None) -> Tensor:
        """h (N, F, H, W) -> (N, F, H, W)."""
        a = self.masked(relu(self.narrow(relu(h))))
        if self.label is not None:
            a = a + self.label(y)[:, :, None, None]
        correction: Tensor = self.widen(self.dropout(relu(a)))
        return h + correction


class Plain(nn.Module):
    """x (N, C, H, W), y (N,) -> (N, C * size, H, W), each channel from earlier ones alone."""

    def __init__(
        self,
        channels: int,
        size: int,
        width: int,
        blocks: int,
        kernel: int,
        classes: int,
        dropout: float,
    ):
        super().__init__()
        self.first = MaskedConv(channels, width, 7, channels, strict=True)
        self.blocks = [Block(width, kernel, channels, classes, dropout) for _ in range(blocks)]
        self.stack = nn.ModuleList(self.blocks)
        self.head = Head(width, channels, size)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """x (N, C, H, W) -> (N, C * size, H, W)."""
        h = self.first(x)  # (N, F, H, W)
        for block in self.blocks:
            h = block(h, y)
        params: Tensor = self.head(h)
        return params

    def incremental(self, x: Tensor, y: Tensor | None) -> "IncrementalPlain":
        """The network for as many images as x has, which are drawn pixel by pixel."""
        return IncrementalPlain(self, x, y)


class IncrementalPlain:
    """The rows above enter every masked convolution once a row."""

    def __init__(self, net: Plain, x: Tensor, y: Tensor | None):
        n, channels, _, width = x.shape
        self.net, self.blocks = net, net.blocks
        self.first = PixelCache(x, n, channels, net.first.left.taps, width)
        convs = [block.masked.left for block in self.blocks]
        self.windows = [PixelCache(x, n, c.weight.shape[1], c.taps, width) for c in convs]
        self.rows = [
            RowCache(x, n, block.masked.above.in_channels, block.masked.above.rows, width)
            for block in self.blocks
        ]
        self.labels = [0.0 if b.label is None else b.label(y)[:, :, None] for b in self.blocks]
        self.first_matrix, self.head = net.first.left.matrix(), net.head.matrices()
        self.matrices = [
            (b.narrow.matrix(), b.masked.left.matrix(), b.widen.matrix()) for b in self.blocks
        ]
        self.sides: list[Tensor] = []

    def row(self, r: int, x: Tensor) -> None:
        """What the rows above add to every masked convolution at row r, (N, outputs, W) each."""
        self.sides = [self.net.first.above.row_of(x, r)]
        for block, window, above, label in zip(
            self.blocks, self.windows, self.rows, self.labels, strict=True
        ):
            rows = above.push(window.row) if r else above.rows  # the row that was just finished
            self.sides.append(block.masked.above.row(rows) + label)
            window.clear()
        self.first.clear()

    def pixel(self, r: int, c: int, x: Tensor) -> Tensor:
        """Every layer at one pixel: (N, C * size)."""
        left = self.net.first.left
        h = (
            left.pixel(self.first.put_partial(c, x[:, :, r]), self.first_matrix)
            + self.sides[0][:, :, c]
        )
        for i, (block, window, (narrow, masked, widen)) in enumerate(
            zip(self.blocks, self.windows, self.matrices, strict=True)
        ):
            a = window.put(c, relu(block.narrow.pixel(relu(h), narrow)))  # (N, taps * half)
            a = block.masked.left.pixel(a, masked) + self.sides[i + 1][:, :, c]
            h = h + block.widen.pixel(relu(a), widen)
        return self.net.head.pixel(h, self.head)
