"""Diagonal BiLSTM: two recurrences along the diagonals, from either side."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad

from plausible.models.pixelrnn.cell import lstm_cell
from plausible.nn.causal import Head, HorizontalConv, MaskedConv, PixelCache


def skew(x: Tensor) -> Tensor:
    """Row r moved r columns to the right: (N, F, H, W) -> (N, F, H, H + W - 1), zeros elsewhere."""
    height, width = x.shape[2:]
    wide = pad(x, (0, height)).flatten(2)  # (N, F, H (W + H))
    rows: Tensor = wide[..., : height * (width + height - 1)]
    return rows.reshape(*x.shape[:3], width + height - 1)


def unskew(x: Tensor, width: int) -> Tensor:
    """The inverse: (N, F, H, H + W - 1) -> (N, F, H, W)."""
    height = x.shape[2]
    wide = pad(x.flatten(2), (0, height)).reshape(*x.shape[:3], width + height)
    return wide[..., :width]


class Side(nn.Module):
    """One direction: h at (r, c) from h at (r, c - 1) and (r - 1, c), in a scan over diagonals."""

    def __init__(self, hidden: int, groups: int, classes: int):
        super().__init__()
        self.groups, self.hidden = groups, hidden
        self.enter = HorizontalConv(2 * hidden, 4 * hidden, 1, groups, strict=False)
        self.step = nn.Linear(2 * hidden, 4 * hidden, bias=False)  # of (left, above)
        self.label = nn.Embedding(classes, 4 * hidden) if classes else None

    def entering(self, x: Tensor, y: Tensor | None) -> Tensor:
        """What x and the label give to the gates, (N, 4 h, H, W)."""
        gates: Tensor = self.enter(x)
        return gates if self.label is None else gates + self.label(y)[:, :, None, None]

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(N, 2 h, H, W) -> (N, h, H, W)."""
        n, _, height, width = x.shape
        gates = skew(self.entering(x, y)).permute(3, 0, 2, 1)  # (H + W - 1, N, H, 4 h)
        real = skew(torch.ones_like(x[:1, :1]))[0, 0].T[:, None, :, None]  # (H + W - 1, 1, H, 1)
        h = cell = x.new_zeros(n, height, self.hidden)
        columns = []
        for column, inside in zip(gates, real, strict=True):
            above = pad(h, (0, 0, 1, 0))[:, :-1]  # row r holds row r - 1
            drive = column + self.step(torch.cat([h, above], 2))  # (N, H, 4 h)
            h, cell = (
                part.unflatten(0, (n, height))
                for part in lstm_cell(drive.flatten(0, 1), cell.flatten(0, 1), self.groups)
            )
            h, cell = h * inside, cell * inside  # what lies outside the image has no state
            columns.append(h)
        return unskew(torch.stack(columns, 3).transpose(1, 2), width)


class DiagonalLayer(nn.Module):
    """x <- x + out(from the left + from the right, a row lower), so that no later pixel is seen."""

    def __init__(self, hidden: int, groups: int, classes: int):
        super().__init__()
        self.left, self.right = (Side(hidden, groups, classes) for _ in range(2))
        self.out = HorizontalConv(hidden, 2 * hidden, 1, groups, strict=False)

    def forward(self, x: Tensor, y: Tensor | None, own: Tensor | float = 0.0) -> Tensor:
        """(N, 2 h, H, W) -> (N, 2 h, H, W); ``own`` is for the right side alone."""
        right = self.right((x + own).flip(3), y).flip(3)
        lower = pad(right, (0, 0, 1, 0))[:, :, :-1]  # row r holds row r - 1
        correction: Tensor = self.out(self.left(x, y) + lower)
        return x + correction


class DiagonalLSTM(nn.Module):
    """x (N, C, H, W), y (N,) -> (N, C * size, H, W), each channel from earlier ones alone.

    In the first layer the recurrence from the right, which arrives a row lower, also sees each pixel
    itself: without that the last pixel of a row is hidden from most of the next one.
    Source: van den Oord et al. 2016, https://arxiv.org/abs/1601.06759.
    """

    def __init__(
        self, channels: int, size: int, hidden: int, layers: int, width: int, classes: int
    ):
        super().__init__()
        self.first = MaskedConv(channels, 2 * hidden, 7, channels, strict=True)
        self.own = nn.Conv2d(channels, 2 * hidden, 1)
        self.layers = [DiagonalLayer(hidden, channels, classes) for _ in range(layers)]
        self.stack = nn.ModuleList(self.layers)
        self.head = Head(2 * hidden, channels, size)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """x (N, C, H, W) -> (N, C * size, H, W)."""
        h = self.first(x)
        for i, layer in enumerate(self.layers):
            h = layer(h, y, 0.0 if i else self.own(x))
        params: Tensor = self.head(h)
        return params

    def incremental(self, x: Tensor, y: Tensor | None) -> "IncrementalDiagonal":
        """The network for as many images as x has, which are drawn pixel by pixel."""
        return IncrementalDiagonal(self, x, y)


class IncrementalDiagonal:
    """From the left a pixel at a time; from the right a row at a time, when the row is final."""

    def __init__(self, net: DiagonalLSTM, x: Tensor, y: Tensor | None):
        n, channels, _, width = x.shape
        self.net, self.layers, self.y, self.width = net, net.layers, y, width
        hidden = self.layers[0].left.hidden
        count = len(self.layers)
        self.first = PixelCache(x, n, channels, net.first.left.taps, width)
        self.inputs = [x.new_zeros(n, 2 * hidden, width) for _ in range(count)]  # of this row
        self.left = [x.new_zeros(n, width, hidden) for _ in range(count)]  # of this row
        self.above = [x.new_zeros(n, width, hidden) for _ in range(count)]  # of the row above
        self.right = [x.new_zeros(n, width, hidden) for _ in range(count)]  # of the row above
        self.cell = [x.new_zeros(n, hidden) for _ in range(count)]  # of the pixel to the left
        self.before = list(self.cell)  # the same, while the channels of a pixel are drawn
        self.last = -1
        self.labels = [0.0 if b.left.label is None else b.left.label(y) for b in self.layers]
        self.first_matrix, self.head = net.first.left.matrix(), net.head.matrices()
        self.matrices = [(b.left.enter.matrix(), b.out.matrix()) for b in self.layers]

    def row(self, r: int, x: Tensor) -> None:
        """The row above is final: its states from the right, and a new row from the left."""
        self.side = self.net.first.above.row_of(x, r)  # (N, 2 h, W)
        if r:
            self.inputs[0] += self.net.own(x[:, :, r - 1 : r])[:, :, 0]
            self.right = [
                self._from_right(layer.right, entered, right)
                for layer, entered, right in zip(self.layers, self.inputs, self.right, strict=True)
            ]
        self.above = [left.clone() for left in self.left]
        self.cell = [torch.zeros_like(cell) for cell in self.cell]
        self.first.clear()
        self.last = -1

    def _from_right(self, side: Side, entered: Tensor, above: Tensor) -> Tensor:
        """One row from the right: inputs (N, 2 h, W), states of the row above (N, W, h) -> (N, W, h)."""
        gates = side.entering(entered[:, :, None], self.y)[:, :, 0]  # (N, 4 h, W)
        h = cell = torch.zeros_like(above[:, 0])
        states = torch.empty_like(above)
        for c in reversed(range(self.width)):
            drive = gates[:, :, c] + side.step(torch.cat([h, above[:, c]], 1))
            h, cell = lstm_cell(drive, cell, side.groups)
            states[:, c] = h
        return states

    def pixel(self, r: int, c: int, x: Tensor) -> Tensor:
        """Every layer at one pixel: (N, C * size)."""
        if c != self.last:  # the channels of a pixel share the state before it
            self.before, self.last = list(self.cell), c
        inputs = self.first.put_partial(c, x[:, :, r])
        h = self.net.first.left.pixel(inputs, self.first_matrix) + self.side[:, :, c]
        for i, (layer, (enter, out)) in enumerate(zip(self.layers, self.matrices, strict=True)):
            side = layer.left
            self.inputs[i][:, :, c] = h
            left = self.left[i][:, c - 1] if c else torch.zeros_like(self.cell[i])
            drive = side.enter.pixel(h, enter) + self.labels[i]
            drive = drive + side.step(torch.cat([left, self.above[i][:, c]], 1))
            state, self.cell[i] = lstm_cell(drive, self.before[i], side.groups)
            self.left[i][:, c] = state
            h = h + linear(state + self.right[i][:, c], out, layer.out.bias)
        return self.net.head.pixel(h, self.head)
