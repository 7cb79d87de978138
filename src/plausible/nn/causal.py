"""Convolutions that look only at pixels already drawn: whole images at once, or row by row, pixel by pixel.

Autoregressive order: rows from the top, in each row from the left, in each pixel the channels in order.  What a
masked convolution sees of the rows above and of its own row are two convolutions here: nothing is
multiplied by a zero of a mask, and each part can be made as soon as it is due when an image is drawn.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, pad, relu


class VerticalConv(nn.Conv2d):
    """The vertical part: sees ``rows`` rows, all strictly above (``strict``) or the pixel's own row and those above it.

    (N, inputs, H, W) -> (N, outputs, H, W); ``columns`` odd, centred on the pixel.
    """

    def __init__(self, inputs: int, outputs: int, rows: int, columns: int, strict: bool):
        super().__init__(inputs, outputs, (rows, columns))
        self.rows, self.side, self.strict = rows, columns // 2, strict

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W)."""
        top = self.rows if self.strict else self.rows - 1
        x = pad(x, (self.side, self.side, top, 0))  # H + top rows
        x = x[:, :, : x.shape[2] - 1] if self.strict else x
        return conv2d(x, self.weight, self.bias)

    def row(self, rows: Tensor) -> Tensor:
        """One row of the answer from the ``rows`` rows it sees: (N, inputs, rows, W) -> (N, outputs, W)."""
        return conv2d(rows, self.weight, self.bias, padding=(0, self.side))[:, :, 0]

    def row_of(self, x: Tensor, r: int) -> Tensor:
        """Row r of the answer, strict, from a whole map of which the rows above r are final."""
        rows = x[:, :, max(0, r - self.rows) : r]
        return self.row(pad(rows, (0, 0, self.rows - rows.shape[2], 0)))


class HorizontalConv(nn.Module):
    """The horizontal part: sees the pixel and the ``taps - 1`` pixels to its left; of its own pixel only earlier channels.

    (N, inputs, H, W) -> (N, outputs, H, W).  Inputs and outputs come in ``groups`` of equal size, one a
    channel of the image: at its own pixel group g sees the groups before g, and g itself unless strict.
    """

    mask: Tensor

    def __init__(self, inputs: int, outputs: int, taps: int, groups: int, strict: bool):
        super().__init__()
        conv = nn.Conv2d(inputs, outputs, (1, taps))
        self.weight, self.bias, self.taps = conv.weight, conv.bias, taps
        source = torch.arange(inputs) * groups // inputs  # (inputs,)
        target = torch.arange(outputs) * groups // outputs  # (outputs,)
        own = source < target[:, None] if strict else source <= target[:, None]
        mask = torch.ones(outputs, inputs, 1, taps)
        mask[:, :, 0, -1] = own.float()
        self.register_buffer("mask", mask, persistent=False)
        self.has_mask = not bool(mask.all())

    def kernel(self) -> Tensor:
        """The weights that count, (outputs, inputs, 1, taps)."""
        return self.weight * self.mask if self.has_mask else self.weight

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W)."""
        return conv2d(pad(x, (self.taps - 1, 0)), self.kernel(), self.bias)

    def matrix(self) -> Tensor:
        """The weights as a matrix for ``pixel``: (outputs, taps * inputs)."""
        return self.kernel()[:, :, 0].transpose(1, 2).flatten(1)  # (o, i, t) -> (o, t i)

    def pixel(self, inputs: Tensor, matrix: Tensor) -> Tensor:
        """The answer at one pixel from the taps it sees: (N, taps * inputs) -> (N, outputs)."""
        return linear(inputs, matrix, self.bias)


class MaskedConv(nn.Module):
    """A masked convolution: the rows above and the pixels to the left, mask A when strict."""

    def __init__(self, inputs: int, outputs: int, kernel: int, groups: int, strict: bool):
        super().__init__()
        self.above = VerticalConv(inputs, outputs, kernel // 2, kernel, strict=True)
        self.left = HorizontalConv(inputs, outputs, kernel // 2 + 1, groups, strict)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W)."""
        above: Tensor = self.above(x)
        left: Tensor = self.left(x)
        return above + left


class RowCache:
    """The last rows of a map, kept while an image is drawn: (N, channels, rows, W), zeros at first."""

    def __init__(self, like: Tensor, n: int, channels: int, rows: int, width: int):
        self.rows = like.new_zeros(n, channels, rows, width)

    def push(self, row: Tensor) -> Tensor:
        """Add the newest row (N, channels, W) below, forget the topmost: (N, channels, rows, W)."""
        self.rows = torch.cat([self.rows[:, :, 1:], row[:, :, None]], 2)
        return self.rows


class PixelCache:
    """The current row of a map, kept while it is drawn: (N, taps - 1 + W, channels), zeros at its left."""

    def __init__(self, like: Tensor, n: int, channels: int, taps: int, width: int):
        self.values = like.new_zeros(n, taps - 1 + width, channels)
        self.taps = taps

    def clear(self) -> None:
        """A new row begins."""
        self.values.zero_()

    def put(self, column: int, value: Tensor) -> Tensor:
        """Set the map at a column (N, channels), and return what its taps see: (N, taps * channels)."""
        self.values[:, column + self.taps - 1] = value
        return self.values[:, column : column + self.taps].flatten(1)

    def put_partial(self, column: int, row: Tensor) -> Tensor:
        """The same for a row (N, channels, W) that is final up to here, and partly at this pixel."""
        if column:
            self.put(column - 1, row[:, :, column - 1])  # when it was last put it was not final
        return self.put(column, row[:, :, column])

    @property
    def row(self) -> Tensor:
        """The row so far, (N, channels, W)."""
        return self.values[:, self.taps - 1 :].transpose(1, 2)


class Head(nn.Module):
    """relu, W1, relu, W2 at every pixel: (N, F, H, W) -> (N, groups * size, H, W)."""

    def __init__(self, width: int, groups: int, size: int):
        super().__init__()
        self.hidden = HorizontalConv(width, width, 1, groups, strict=False)
        self.out = HorizontalConv(width, groups * size, 1, groups, strict=False)

    def forward(self, h: Tensor) -> Tensor:
        """(N, F, H, W) -> (N, groups * size, H, W)."""
        out: Tensor = self.out(relu(self.hidden(relu(h))))
        return out

    def matrices(self) -> tuple[Tensor, Tensor]:
        """The weights for ``pixel``."""
        return self.hidden.matrix(), self.out.matrix()

    def pixel(self, h: Tensor, matrices: tuple[Tensor, Tensor]) -> Tensor:
        """(N, F) -> (N, groups * size)."""
        return self.out.pixel(relu(self.hidden.pixel(relu(h), matrices[0])), matrices[1])
