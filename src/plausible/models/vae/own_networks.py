"""An encoder and a decoder of the caller: plain modules, tried once on zeros."""

import torch
from torch import Tensor, nn

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.models.vae.config import VAEConfig
from plausible.models.vae.hierarchy import Hierarchy
from plausible.nn.tried import TRIED, output_shape, tried_labels, written


class OwnHierarchy(Hierarchy):
    """One layer of z between an encoder and a decoder of the caller, which get y too where the model is conditional.

    encoder  x (N, *shape) in standard units, y (N,) int64 -> (N, 2 d): the mean m of q(z | x) beside a number a with
             the scale s = softplus(a + 0.54), so that zeros are N(0, 1).
    decoder  z (N, d), y (N,) -> what decides p(x | z): ``size`` numbers for each coordinate on the first axis,
             images (N, C size, H, W), vectors (N, D size); without an axis for it where size is 1.
    Raises UsageError for networks of other outputs, or choices of the networks of plausible.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, space: Space, size: int, config: VAEConfig
    ):
        super().__init__()
        self.encoder, self.decoder, self.conditional = encoder, decoder, config.conditional
        self.shape, self.size = space.shape, size
        dropped = any(isinstance(layer, nn.Dropout) for layer in encoder.modules())
        self.path_dropout = self.conditional and dropped
        for name in ("architecture", "latent", "layers", "width", "blocks", "dropout"):
            if getattr(config, name) is not None:
                raise UsageError(
                    f"{name} is of the networks of plausible: build it into your own, and leave it out"
                )
        x = torch.zeros(TRIED, *space.shape)
        y = tried_labels(self.conditional)
        said = output_shape(encoder, "encoder", x, y)
        if len(said) != 2 or said[0] != TRIED or said[1] % 2:
            raise UsageError(
                f"the encoder makes {written(said)}: it must be (N, 2 d), the mean of z beside a number for its scale"
            )
        self.sizes = (said[1] // 2,)
        z = torch.zeros(TRIED, *self.sizes)
        made = output_shape(decoder, "decoder", z, y)
        needed = TRIED, space.shape[0] * size, *space.shape[1:]
        if made != needed:
            raise UsageError(
                f"the decoder makes {written(made)}: it must be {written(needed)}, {size} number{'s' * (size > 1)} for "
                f"each coordinate of x"
            )

    def encoder_features(self, x: Tensor) -> list[Tensor]:
        """What the encoder says, or x where it needs y too: (N, *shape) -> (N, 2 d) or (N, *shape)."""
        return [x if self.conditional else self.encoder(x)]

    def top_state(self, n: int, y: Tensor | None) -> Tensor:
        """The labels, as numbers: (n, 1), or (n, 0) without."""
        device = next(self.parameters()).device
        if y is None:
            return torch.zeros(n, 0, device=device)
        return y.to(device, torch.float32)[:, None]  # (n,) -> (n, 1)

    def posterior_params(self, layer: int, features: Tensor, state: Tensor) -> Tensor:
        """m beside a: (R, 2 d)."""
        if not self.conditional:
            return features
        params: Tensor = self.encoder(features, state[:, 0].long())
        return params

    def decoder_step(self, layer: int, state: Tensor, z: Tensor) -> Tensor:
        """z beside the labels: (R, d + 1), or (R, d) without."""
        return torch.cat([z.float(), state], 1)

    def output(self, state: Tensor) -> Tensor:
        """What decides each p(x_i | z): (R, d + 1) -> (R, *shape, size)."""
        z, y = state[:, : self.sizes[0]], state[:, self.sizes[0] :]
        params: Tensor = self.decoder(z, y[:, 0].long()) if self.conditional else self.decoder(z)
        params = params.unflatten(
            1, (self.shape[0], self.size)
        )  # (R, C size, ...) -> (R, C, size, ...)
        return params.movedim(2, -1)
