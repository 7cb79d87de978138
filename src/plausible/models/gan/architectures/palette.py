"""Every image from a palette of its own: what is flat in it is flat, and edges are as sharp as pixels can be."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from plausible.core.space import Space
from plausible.models.gan.architectures.antialiased import filtered
from plausible.models.gan.architectures.trunks import Trunks, architectures
from plausible.nn.networks import initialise, need_images, perceptron

_COLOURS = 32  # of a palette
_HIDDEN = 256  # units between z and the palette
_FINE = (16, 32)  # channels at the full size and at half of it, twice those of antialiased


@architectures
def palette(space: Space, d_space: Space, inputs: int, width: int | None) -> Trunks:
    """The networks of ``antialiased``, but G makes of z a palette of 32 colours, and says for each pixel how much of each it has.

    Where it is sure of one, neighbouring pixels have the same colour to the last level, as in sprites and drawings; between
    two it can shade.  For images of any channel count with sides of 8 to 256.
    """
    need_images(space, "palette")
    shares = replace(space, shape=(_COLOURS, *space.shape[1:]))
    trunks = filtered(shares, d_space, inputs, width, _FINE)
    colours = initialise(perceptron(inputs, _HIDDEN, _COLOURS * space.shape[0]))
    return replace(trunks, generator=Palette(trunks.generator, colours))


class Palette(nn.Module):
    """x = sum_k w_k c_k, the w of a pixel a softmax over colours k: (N, inputs) -> (N, C, H, W).

    shares   (N, inputs) -> (N, K, H, W), the logits of w.
    colours  (N, inputs) -> (N, K C), the c.
    """

    def __init__(self, shares: nn.Module, colours: nn.Module):
        super().__init__()
        self.shares, self.colours = shares, colours

    def forward(self, z: Tensor) -> Tensor:
        """z (N, inputs) -> (N, C, H, W)."""
        w = self.shares(z).softmax(1)  # (N, K, H, W)
        c = self.colours(z).unflatten(1, (w.shape[1], -1))  # (N, K C) -> (N, K, C)
        return torch.einsum("nkhw,nkc->nchw", w, c)
