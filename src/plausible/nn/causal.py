"""Convolutions that look only at pixels already drawn: whole images at once, or row by row, pixel by pixel.

Autoregressive order: rows from the top, in each row from the left, in each pixel the channels in order.  What a
masked convolution sees of the rows above and of its own row are two convolutions here: nothing is
multiplied by a zero of a mask, and each part can be made as soon as it is due when an image is drawn.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, pad, relu


class Above(nn.Conv2d):
    """Sees ``rows`` rows, all strictly above (``strict``) or the pixel's own row and those above it.

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

    def row(self, seen: Tensor) -> Tensor:
        """One row of the answer from the ``rows`` rows it sees: (N, inputs, rows, W) -> (N, outputs, W)."""
        return conv2d(seen, self.weight, self.bias, padding=(0, self.side))[:, :, 0]

    def row_of(self, x: Tensor, r: int) -> Tensor:
        """Row r of the answer, strict, from a whole map of which the rows above r are final."""
        seen = x[:, :, max(0, r - self.rows) : r]
        return self.row(pad(seen, (0, 0, self.rows - seen.shape[2], 0)))


class Left(nn.Module):
    """Sees the pixel and the ``taps - 1`` pixels to its left; of its own pixel only earlier channels.

    (N, inputs, H, W) -> (N, outputs, H, W).  Inputs and outputs come in ``groups`` of equal size, one a
    channel of the image: at its own pixel group g sees the groups before g, and g itself unless strict.
    """

    visible: Tensor

    def __init__(self, inputs: int, outputs: int, taps: int, groups: int, strict: bool):
        super().__init__()
        conv = nn.Conv2d(inputs, outputs, (1, taps))
        self.weight, self.bias, self.taps = conv.weight, conv.bias, taps
        source = torch.arange(inputs) * groups // inputs  # (inputs,)
        target = torch.arange(outputs) * groups // outputs  # (outputs,)
        own = source < target[:, None] if strict else source <= target[:, None]
        visible = torch.ones(outputs, inputs, 1, taps)
        visible[:, :, 0, -1] = own.float()
        self.register_buffer("visible", visible, persistent=False)
        self.masked = not bool(visible.all())

    def kernel(self) -> Tensor:
        """The weights that count, (outputs, inputs, 1, taps)."""
        return self.weight * self.visible if self.masked else self.weight

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W)."""
        return conv2d(pad(x, (self.taps - 1, 0)), self.kernel(), self.bias)

    def matrix(self) -> Tensor:
        """The weights as a matrix for ``pixel``: (outputs, taps * inputs)."""
        return self.kernel()[:, :, 0].transpose(1, 2).flatten(1)  # (o, i, t) -> (o, t i)

    def pixel(self, seen: Tensor, matrix: Tensor) -> Tensor:
        """The answer at one pixel from the taps it sees: (N, taps * inputs) -> (N, outputs)."""
        return linear(seen, matrix, self.bias)


class Masked(nn.Module):
    """A masked convolution: the rows above and the pixels to the left, mask A when strict."""

    def __init__(self, inputs: int, outputs: int, kernel: int, groups: int, strict: bool):
        super().__init__()
        self.above = Above(inputs, outputs, kernel // 2, kernel, strict=True)
        self.left = Left(inputs, outputs, kernel // 2 + 1, groups, strict)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W)."""
        return self.above(x) + self.left(x)


class Rows:
    """The last rows of a map, kept while an image is drawn: (N, channels, rows, W), zeros at first."""

    def __init__(self, like: Tensor, n: int, channels: int, rows: int, width: int):
        self.seen = like.new_zeros(n, channels, rows, width)

    def push(self, row: Tensor) -> Tensor:
        """Add the newest row (N, channels, W) below, forget the topmost: (N, channels, rows, W)."""
        self.seen = torch.cat([self.seen[:, :, 1:], row[:, :, None]], 2)
        return self.seen


class Window:
    """The current row of a map, kept while it is drawn: (N, taps - 1 + W, channels), zeros at its left."""

    def __init__(self, like: Tensor, n: int, channels: int, taps: int, width: int):
        self.kept = like.new_zeros(n, taps - 1 + width, channels)
        self.taps = taps

    def clear(self) -> None:
        """A new row begins."""
        self.kept.zero_()

    def put(self, column: int, value: Tensor) -> Tensor:
        """Set the map at a column (N, channels), and return what its taps see: (N, taps * channels)."""
        self.kept[:, column + self.taps - 1] = value
        return self.kept[:, column : column + self.taps].flatten(1)

    def look(self, column: int, row: Tensor) -> Tensor:
        """The same for a row (N, channels, W) that is final up to here, and partly at this pixel."""
        if column:
            self.put(column - 1, row[:, :, column - 1])  # when it was last put it was not final
        return self.put(column, row[:, :, column])

    @property
    def row(self) -> Tensor:
        """The row so far, (N, channels, W)."""
        return self.kept[:, self.taps - 1 :].transpose(1, 2)


class Head(nn.Module):
    """relu, W1, relu, W2 at every pixel: (N, F, H, W) -> (N, groups * size, H, W)."""

    def __init__(self, width: int, groups: int, size: int):
        super().__init__()
        self.hidden = Left(width, width, 1, groups, strict=False)
        self.out = Left(width, groups * size, 1, groups, strict=False)

    def forward(self, h: Tensor) -> Tensor:
        """(N, F, H, W) -> (N, groups * size, H, W)."""
        return self.out(relu(self.hidden(relu(h))))

    def matrices(self) -> tuple[Tensor, Tensor]:
        """The weights for ``pixel``."""
        return self.hidden.matrix(), self.out.matrix()

    def pixel(self, h: Tensor, matrices: tuple[Tensor, Tensor]) -> Tensor:
        """(N, F) -> (N, groups * size)."""
        return self.out.pixel(relu(self.hidden.pixel(relu(h), matrices[0])), matrices[1])
