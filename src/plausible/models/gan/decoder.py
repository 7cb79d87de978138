"""The decoder of another model as the generator of a GAN: what it makes of z, without what it does not draw with."""

from typing import Self

import torch
from torch import Tensor, nn

from plausible.core.capabilities import Latent, Reparameterised
from plausible.core.errors import UsageError
from plausible.core.model import Model


class Decoder(nn.Module):
    """G(z, y) = what a model decodes, in standard units: z (N, d) -> (N, *shape).

    Its weights that z does not reach, those of an encoder, stay as they are.
    """

    def __init__(self, model: Model):
        super().__init__()
        self.model = model.eval()
        z = self._latent.latent(2, torch.Generator().manual_seed(0))
        y = torch.zeros(2, dtype=torch.long) if model.conditional else None
        weights = list(model.parameters())
        with torch.enable_grad():
            made = self(z, y).sum()
            slopes = torch.autograd.grad(made, weights, allow_unused=True)
        for weight, slope in zip(weights, slopes, strict=True):
            weight.requires_grad_(slope is not None)

    @property
    def _latent(self) -> Latent:
        assert isinstance(self.model, Latent)
        return self.model

    @property
    def latent(self) -> int:
        """d, the coordinates of z."""
        return self._latent.latent(1, torch.Generator()).shape[1]

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """G(z, y): (N, d), (N,) -> (N, *shape)."""
        return self.model.standardise(self._latent.decode(z, y))

    def train(self, mode: bool = True) -> Self:
        """No unit of it drops out, so that it draws as it did."""
        super().train(mode)
        self.model.eval()
        return self


def check_decoder(who: str, model: Model) -> None:
    """Refuse, in a sentence that begins with ``who``, a model whose z is not decoded in one evaluation (UsageError)."""
    if not (isinstance(model, Latent) and isinstance(model, Reparameterised)):
        raise UsageError(f"{who}, which has no decoder that a generator could begin as: --from takes a vae or a diffusion model of average velocities")  # fmt: skip
    if model.evaluations != 1:
        raise UsageError(
            f"{who}, which draws in {model.evaluations} evaluations, and a generator has one: train it with "
            f"--average-velocity, or go on with plausible refine"
        )
