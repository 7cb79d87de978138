"""Networks of the caller in the places of G and D: plain modules, tried once on zeros."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.models.gan.config import GANConfig
from plausible.models.gan.networks import DOutput
from plausible.nn.tried import TRIED, output_shape, tried_labels, written

_OF_D = ("condition", "pack", "minibatch_std", "spectral_norm")  # what the package's D is made of
_OF_BOTH = ("architecture", "width")


def refuse_choices(config: GANConfig, own: Mapping[str, nn.Module]) -> None:
    """Refuse choices of the package's networks where the caller's stand in their places (UsageError)."""
    names = _OF_D if "discriminator" in own else ()
    for name in names + (_OF_BOTH if len(own) == 2 else ()):
        if getattr(config, name) != getattr(GANConfig(), name):
            raise UsageError(
                f"{name} is of the networks of plausible: build it into your own, and leave it out"
            )


class OwnGenerator(nn.Module):
    """G(z), or G(z, y) where the GAN is conditional, by a network of the caller.

    network  z (N, latent), y (N,) int64 -> x (N, *shape) in standard units: [-1, 1] on grey levels, mean 0 and
             variance 1 of vectors.
    Raises UsageError for a network that makes another shape.
    """

    def __init__(self, network: nn.Module, space: Space, config: GANConfig):
        super().__init__()
        self.network, self.conditional = network, config.conditional
        z = torch.zeros(TRIED, config.latent)
        made = output_shape(network, "generator", z, tried_labels(self.conditional))
        if made != (TRIED, *space.shape):
            raise UsageError(
                f"the generator makes {written(made)} of z (N, {config.latent}), and these data have "
                f"{written((TRIED, *space.shape))}"
            )

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """G(z, y) in standard units: (N, d), (N,) -> (N, *shape)."""
        x: Tensor = self.network(z, y) if self.conditional else self.network(z)
        return x


class OwnDiscriminator(nn.Module):
    """D(x), or D(x, y) where the GAN is conditional, by a network of the caller.

    network      x (N, *shape) in standard units, y (N,) int64 -> logits of being real, (N,) or (N, 1).
    whole_batch  it normalises over the batch, so that its answers depend on all of it.
    Raises UsageError for a network of another output, or one whose gradient cannot be had.
    """

    def __init__(self, network: nn.Module, space: Space, config: GANConfig):
        super().__init__()
        self.network, self.conditional = network, config.conditional
        norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        self.whole_batch = bool(norms)
        if config.penalties and any(norm.track_running_stats for norm in norms):
            raise UsageError(
                "penalties need the gradient of the discriminator, which batch norm with running means does not give: "
                "make its layers with track_running_stats=False, or the config with penalties=()"
            )
        x = torch.zeros(TRIED, *space.shape)
        made = output_shape(network, "discriminator", x, tried_labels(self.conditional))
        if made[:1] != (TRIED,) or math.prod(made) != TRIED:
            raise UsageError(
                f"the discriminator makes {written(made)} of x {written(tuple(x.shape))}: it must be one logit for "
                f"each, (N,) or (N, 1)"
            )

    def forward(self, x: Tensor, y: Tensor | None = None) -> DOutput:
        """D(x, y) of x in standard units: (N, *shape), (N,) -> logits (N,), and no labels (N, 0)."""
        logit: Tensor = self.network(x, y) if self.conditional else self.network(x)
        logit = logit.flatten().float()  # (N, 1) -> (N,)
        return DOutput(logit, logit.new_zeros(len(x), 0))
