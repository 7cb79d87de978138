"""What decides a coupling: networks from one half of a point, and a label, to numbers for the other half."""

from torch import Tensor, nn

from plausible.nn.residual import ResidualConv, ResidualDense, zero_init
from plausible.nn.unet import FourierFeatures


class Perceptron(nn.Module):
    """a (N, inputs), y (N,) -> (N, outputs), by ``blocks`` residual blocks of ``width`` units; 0 at first.

    octaves  of ``FourierFeatures`` of a, without which few coordinates say nothing fine.
    """

    def __init__(
        self, inputs: int, outputs: int, width: int, blocks: int, classes: int, octaves: int = 0
    ):
        super().__init__()
        self.features = FourierFeatures(octaves)
        self.into = nn.Linear(inputs * (1 + 2 * octaves), width)
        self.label = Label(classes, width)
        self.blocks = nn.Sequential(*(ResidualDense(width) for _ in range(blocks)))
        self.out = zero_init(nn.Linear(width, outputs))

    def forward(self, a: Tensor, y: Tensor | None = None) -> Tensor:
        """(N, inputs) -> (N, outputs)."""
        h = self.label(self.into(self.features(a)), y)
        out: Tensor = self.out(nn.functional.silu(self.blocks(h)))
        return out


class ConvNet(nn.Module):
    """a (N, inputs, h, w), y (N,) -> (N, outputs, h, w), by ``blocks`` residual blocks of ``width`` channels; 0 at first."""

    def __init__(self, inputs: int, outputs: int, width: int, blocks: int, classes: int):
        super().__init__()
        self.into = nn.Conv2d(inputs, width, 3, padding=1)
        self.label = Label(classes, width)
        self.blocks = nn.Sequential(*(ResidualConv(width) for _ in range(blocks)))
        self.out = zero_init(nn.Conv2d(width, outputs, 3, padding=1))

    def forward(self, a: Tensor, y: Tensor | None = None) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h, w)."""
        h = self.label(self.into(a), y)
        out: Tensor = self.out(nn.functional.silu(self.blocks(h)))
        return out


class Label(nn.Module):
    """h (N, F, ...) with what is learned of its label y (N,) added at every place; without classes h itself."""

    def __init__(self, classes: int, features: int):
        super().__init__()
        self.table = nn.Embedding(classes, features) if classes else None

    def forward(self, h: Tensor, y: Tensor | None) -> Tensor:
        """(N, F, ...) -> the same."""
        if self.table is None:
            return h
        told: Tensor = self.table(y)
        return h + told.view(*told.shape, *(1,) * (h.dim() - 2))


def octaves(dims: int) -> int:
    """So many frequencies of each coordinate, where there are few of them."""
    return 3 if dims <= _FEW else 0


_FEW = 4  # coordinates
