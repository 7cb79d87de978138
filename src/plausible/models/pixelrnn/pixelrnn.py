"""PixelRNN: p(x_i | x_<i) from a recurrence over the image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from torch import nn

from plausible.core.bounds import COUNT, DEPTH
from plausible.core.model import models
from plausible.core.remedy import Remedy, smaller
from plausible.core.space import Space
from plausible.models.autoregressive import AutoregressiveModel
from plausible.models.pixelrnn.diagonal import DiagonalLSTM
from plausible.models.pixelrnn.row import RowLSTM


@models
class PixelRNN(AutoregressiveModel):
    """p(x) = prod_i p(x_i | x_<i), every factor from layers of long short-term memories.

    diagonal   two recurrences along the diagonals, from the left and from the right: every earlier
               pixel, at H + W - 1 steps in sequence.
    row        one recurrence from row to row, H steps in sequence.

    Source: van den Oord et al. 2016, https://arxiv.org/abs/1601.06759.
    """

    name: ClassVar[str] = "pixelrnn"
    remedies: ClassVar[Mapping[str, Sequence[Remedy]]] = {"overfitting": (smaller("hidden"),)}

    @dataclass(frozen=True)
    class Config(AutoregressiveModel.Config):
        """A PixelRNN."""

        version: Literal["diagonal", "row"] = "diagonal"
        """The network: diagonal walks along the diagonals from both sides, row from row to row."""
        hidden: Annotated[int, COUNT] = 16
        """The units of a memory, rounded up to as many for each channel of the image."""
        layers: Annotated[int, DEPTH] = 4
        """The number of memories one behind the other."""

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        config = config or self.Config()
        super().__init__(space, config)
        channels, _, width = space.shape
        hidden = -(-config.hidden // channels) * channels
        classes = space.classes if config.conditional else 0
        kind = DiagonalLSTM if config.version == "diagonal" else RowLSTM
        self.network: nn.Module = kind(
            channels, self.observation.size, hidden, config.layers, width, classes
        )
