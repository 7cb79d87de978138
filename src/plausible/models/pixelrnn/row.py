"""Row LSTM: a recurrence from row to row, all columns at once."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, linear, pad

from plausible.models.pixelrnn.cell import lstm_cell
from plausible.nn.causal import Head, HorizontalConv, MaskedConv, PixelCache


class RowLayer(nn.Module):
    """h_r = LSTM(left(x)_r + across(h_{r-1}), c_{r-1}), x <- x + out(h); across sees 3 columns."""

    def __init__(self, hidden: int, groups: int, classes: int):
        super().__init__()
        self.groups, self.hidden = groups, hidden
        self.enter = HorizontalConv(2 * hidden, 4 * hidden, 2, groups, strict=False)
        self.across = nn.Conv1d(hidden, 4 * hidden, 3, padding=1, bias=False)
        self.out = HorizontalConv(hidden, 2 * hidden, 1, groups, strict=False)
        self.label = nn.Embedding(classes, 4 * hidden) if classes else None

    def labels(self, y: Tensor | None) -> Tensor | float:
        """What the label adds to the gates, (N, 4 h, 1)."""
        return 0.0 if self.label is None else self.label(y)[:, :, None]

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(N, 2 h, H, W) -> (N, 2 h, H, W)."""
        entering, to_gates = self.enter(x), self.labels(y)  # (N, 4 h, H, W)
        h = cell = x.new_zeros(len(x), self.hidden, x.shape[3])
        rows = []
        for gates in entering.unbind(2):
            h, cell = lstm_cell(gates + self.across(h) + to_gates, cell, self.groups)  # (N, h, W)
            rows.append(h)
        correction: Tensor = self.out(torch.stack(rows, 2))
        return x + correction


class RowLSTM(nn.Module):
    """x (N, C, H, W), y (N,) -> (N, C * size, H, W), each channel from earlier ones alone.

    The recurrence widens by a column a row, so far to the right of the row above lies a blind spot of the
    published network; here the first layer also sees the whole row above, which closes it.
    Source: van den Oord et al. 2016, https://arxiv.org/abs/1601.06759.
    """

    def __init__(
        self, channels: int, size: int, hidden: int, layers: int, width: int, classes: int
    ):
        super().__init__()
        self.first = MaskedConv(channels, 2 * hidden, 7, channels, strict=True)
        # a weight for each distance between columns, -(W - 1) to W - 1
        self.above = nn.Conv1d(channels, 2 * hidden, 2 * width - 1, padding=width - 1, bias=False)
        self.layers = [RowLayer(hidden, channels, classes) for _ in range(layers)]
        self.stack = nn.ModuleList(self.layers)
        self.head = Head(2 * hidden, channels, size)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """x (N, C, H, W) -> (N, C * size, H, W)."""
        rows = pad(x, (0, 0, 1, 0))[:, :, :-1]  # row r holds row r - 1
        n, _, height, _ = x.shape
        above = self.above(rows.transpose(1, 2).flatten(0, 1))  # (N H, C, W) -> (N H, 2 h, W)
        h = self.first(x) + above.unflatten(0, (n, height)).transpose(1, 2)
        for layer in self.layers:
            h = layer(h, y)
        params: Tensor = self.head(h)
        return params

    def incremental(self, x: Tensor, y: Tensor | None) -> "IncrementalRow":
        """The network for as many images as x has, which are drawn pixel by pixel."""
        return IncrementalRow(self, x, y)


class IncrementalRow:
    """What comes from the state of the row above once a row, the rest a pixel at a time."""

    def __init__(self, net: RowLSTM, x: Tensor, y: Tensor | None):
        n, channels, _, width = x.shape
        self.net, self.layers = net, net.layers
        hidden = self.layers[0].hidden
        self.first = PixelCache(x, n, channels, net.first.left.taps, width)
        self.windows = [PixelCache(x, n, 2 * hidden, 2, width) for _ in self.layers]
        self.states = [x.new_zeros(n, hidden, width) for _ in self.layers]  # h of this row
        self.cells = [x.new_zeros(n, hidden, width) for _ in self.layers]
        self.before = list(self.cells)  # c of the row above
        self.labels = [layer.labels(y) for layer in self.layers]
        self.first_matrix, self.head = net.first.left.matrix(), net.head.matrices()
        self.matrices = [(layer.enter.matrix(), layer.out.matrix()) for layer in self.layers]

    def row(self, r: int, x: Tensor) -> None:
        """What the rows above add at row r."""
        net = self.net
        above = x[:, :, r - 1] if r else torch.zeros_like(x[:, :, 0])
        self.side = net.first.above.row_of(x, r) + net.above(above)  # (N, 2 h, W)
        self.gates = [
            conv1d(h, layer.across.weight, padding=1) + label
            for layer, h, label in zip(self.layers, self.states, self.labels, strict=True)
        ]
        self.before = [cell.clone() for cell in self.cells]
        for window in [self.first, *self.windows]:
            window.clear()

    def pixel(self, r: int, c: int, x: Tensor) -> Tensor:
        """Every layer at one pixel: (N, C * size)."""
        inputs = self.first.put_partial(c, x[:, :, r])
        h = self.net.first.left.pixel(inputs, self.first_matrix) + self.side[:, :, c]
        for i, (layer, (enter, out)) in enumerate(zip(self.layers, self.matrices, strict=True)):
            gates = layer.enter.pixel(self.windows[i].put(c, h), enter) + self.gates[i][:, :, c]
            state, cell = lstm_cell(gates, self.before[i][:, :, c], layer.groups)
            self.states[i][:, :, c], self.cells[i][:, :, c] = state, cell
            h = h + linear(state, out, layer.out.bias)
        return self.net.head.pixel(h, self.head)
