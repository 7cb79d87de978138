"""The gated network: a vertical and a horizontal stack that together see every earlier pixel."""

from torch import Tensor, nn
from torch.nn.functional import linear

from plausible.models.pixelcnn.attention import Attention, KeyValueCache
from plausible.models.pixelcnn.gate import gate
from plausible.nn.causal import Head, HorizontalConv, PixelCache, RowCache, VerticalConv


class Block(nn.Module):
    """v <- v + gate(up(v)),  h <- h + out(gate(left(h) + link(up(v)))), the label added in both gates.

    v at row r knows the rows above r; h at a pixel knows those and what lies to its left.
    """

    def __init__(self, width: int, kernel: int, groups: int, classes: int, dropout: float):
        super().__init__()
        rows = kernel // 2 + 1
        self.groups = groups
        self.dropout = nn.Dropout(dropout)
        self.up = VerticalConv(width, 2 * width, rows, kernel, strict=False)
        self.link = nn.Conv2d(2 * width, 2 * width, 1, bias=False)
        self.left = HorizontalConv(width, 2 * width, rows, groups, strict=False)
        self.out = HorizontalConv(width, width, 1, groups, strict=False)
        self.label = nn.Embedding(classes, 4 * width) if classes else None

    def labels(self, y: Tensor | None) -> tuple[Tensor | float, Tensor | float]:
        """What the label adds to each stack, (N, 2 F) each."""
        return (0.0, 0.0) if self.label is None else self.label(y).chunk(2, 1)

    def forward(self, v: Tensor, h: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """v, h (N, F, H, W) -> the same."""
        to_v, to_h = (_spread(part, 2) for part in self.labels(y))
        a = self.up(v) + to_v
        units = gate(self.left(h) + self.link(a) + to_h, self.groups)
        return v + self.dropout(gate(a)), h + self.out(self.dropout(units))


def _spread(part: Tensor | float, axes: int) -> Tensor | float:
    return part[(...,) + (None,) * axes] if isinstance(part, Tensor) else part


class Gated(nn.Module):
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
        attention: int,
    ):
        super().__init__()
        rows = kernel // 2 + 1
        self.above = VerticalConv(channels, width, rows, kernel, strict=True)
        self.left = HorizontalConv(channels, width, rows, channels, strict=True)
        self.blocks = [Block(width, kernel, channels, classes, dropout) for _ in range(blocks)]
        due = [bool(attention) and i % attention == attention - 1 for i in range(blocks)]
        self.attentions = [Attention(width, channels) if here else None for here in due]
        # registered in the order in which they come
        pairs = zip(self.blocks, self.attentions, strict=True)
        self.stack = nn.ModuleList(layer for pair in pairs for layer in pair if layer is not None)
        self.head = Head(width, channels, size)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """x (N, C, H, W) -> (N, C * size, H, W)."""
        v, h = self.above(x), self.left(x)  # (N, F, H, W)
        for block, attention in zip(self.blocks, self.attentions, strict=True):
            v, h = block(v, h, y)
            if attention is not None:
                h = attention(h, x)
        params: Tensor = self.head(h)
        return params

    def incremental(self, x: Tensor, y: Tensor | None) -> "IncrementalGated":
        """The network for as many images as x has, which are drawn pixel by pixel."""
        return IncrementalGated(self, x, y)


class IncrementalGated:
    """The vertical stack a row at a time, the horizontal one a pixel at a time."""

    def __init__(self, net: Gated, x: Tensor, y: Tensor | None):
        n, channels, _, width = x.shape
        features = net.above.out_channels
        self.net, self.blocks = net, net.blocks
        self.labels = [block.labels(y) for block in self.blocks]
        self.rows = [RowCache(x, n, features, block.up.rows, width) for block in self.blocks]
        self.windows = [PixelCache(x, n, features, block.left.taps, width) for block in self.blocks]
        self.first = PixelCache(x, n, channels, net.left.taps, width)
        self.first_matrix = net.left.matrix()
        self.left = [block.left.matrix() for block in self.blocks]
        self.out = [block.out.matrix() for block in self.blocks]
        self.link = [block.link.weight.flatten(1) for block in self.blocks]  # (2 F, 2 F)
        self.sides: list[Tensor] = []
        self.caches = [None if a is None else KeyValueCache(a, x) for a in net.attentions]
        self.head = net.head.matrices()

    def row(self, r: int, x: Tensor) -> None:
        """The vertical stack at row r, and what it adds to every horizontal gate."""
        v = self.net.above.row_of(x, r)  # (N, F, W)
        self.sides = []
        for block, above, link, (to_v, to_h) in zip(
            self.blocks, self.rows, self.link, self.labels, strict=True
        ):
            a = block.up.row(above.push(v)) + _spread(to_v, 1)  # (N, 2 F, W)
            side = linear(a.transpose(1, 2), link)  # (N, W, 2 F)
            self.sides.append(side + (to_h[:, None] if isinstance(to_h, Tensor) else to_h))
            v = v + gate(a)
        self.first.clear()
        for window in self.windows:
            window.clear()

    def pixel(self, r: int, c: int, x: Tensor) -> Tensor:
        """The horizontal stack at one pixel: (N, C * size)."""
        net = self.net
        h = net.left.pixel(self.first.put_partial(c, x[:, :, r]), self.first_matrix)  # (N, F)
        for i, block in enumerate(self.blocks):
            a = block.left.pixel(self.windows[i].put(c, h), self.left[i])  # (N, 2 F)
            a = a + self.sides[i][:, c]
            h = h + block.out.pixel(gate(a, block.groups), self.out[i])
            cache = self.caches[i]
            if cache is not None:
                h = cache.pixel(h, r, c, x)
        return net.head.pixel(h, self.head)
