"""PixelCNN: p(x_i | x_<i) from masked convolutions, plain or gated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from torch import nn

from plausible.core.bounds import BELOW_ONE, COUNT, DEPTH, NO_DEPTH
from plausible.core.errors import UsageError
from plausible.core.model import models
from plausible.core.remedy import Remedy, change, smaller
from plausible.core.space import Space
from plausible.models.autoregressive import AutoregressiveModel
from plausible.models.pixelcnn.gated import Gated
from plausible.models.pixelcnn.plain import Plain


@models
class PixelCNN(AutoregressiveModel):
    """p(x) = prod_i p(x_i | x_<i), every factor from one masked convolutional network.

    gated   two stacks: a vertical one over the rows above, a horizontal one over the pixels to the left,
            with tanh(a) sigma(b) units; together they see every earlier pixel.
    plain   one stack of masked residual blocks; what lies above and to the right beyond the slope of
            its kernels is its blind spot.

    Sources: van den Oord et al. 2016, https://arxiv.org/abs/1601.06759 (plain) and
    https://arxiv.org/abs/1606.05328 (gated); Chen et al. 2018, https://arxiv.org/abs/1712.09763
    (attention).
    """

    name: ClassVar[str] = "pixelcnn"
    remedies: ClassVar[Mapping[str, Sequence[Remedy]]] = {
        "overfitting": (
            change("dropout", lambda model, now: 0.5 if now < 0.5 else None),
            smaller("width"),
        )
    }

    @dataclass(frozen=True)
    class Config(AutoregressiveModel.Config):
        """A PixelCNN."""

        version: Literal["gated", "plain"] = "gated"
        """The network: gated has two stacks without a blind spot, plain has one."""
        width: Annotated[int, COUNT] = 32
        """The channels of a layer, rounded up to as many for each channel of the image."""
        blocks: Annotated[int, DEPTH] = 6
        """The number of layers behind the first one."""
        kernel: int = 5
        """The side of the convolutions in pixels; odd."""
        attention: Annotated[int, NO_DEPTH] = 0
        """Let every so many blocks look at all earlier pixels at once (PixelSNAIL); 0 is none."""
        dropout: Annotated[float, BELOW_ONE] = 0.0
        """The share of each block's units that are left out at random while it learns."""

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.attention > self.blocks:
                raise UsageError(
                    f"--attention {self.attention} is more than the {self.blocks} --blocks"
                )
            if self.attention and self.version == "plain":
                raise UsageError("--attention belongs to the gated version")
            if self.kernel < 3 or self.kernel % 2 == 0:
                raise UsageError(f"--kernel must be odd and at least 3, not {self.kernel}")

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        config = config or self.Config()
        super().__init__(space, config)
        groups = space.shape[0]
        width = -(-config.width // groups) * groups
        classes = space.classes if config.conditional else 0
        sizes = groups, self.observation.size, width, config.blocks, config.kernel, classes
        if config.version == "plain":
            self.network: nn.Module = Plain(*sizes, config.dropout)
        else:
            self.network = Gated(*sizes, config.dropout, config.attention)
