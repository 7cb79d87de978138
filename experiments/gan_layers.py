"""Networks that ``gan_choices`` tries in the places of a GAN's own: layers that keep magnitudes, and a D on features that never learn."""

import math
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from plausible.core.space import Space
from plausible.models import GAN
from plausible.models.gan.architectures.antialiased import filtered
from plausible.models.gan.architectures.palette import Palette
from plausible.models.gan.config import GANConfig
from plausible.models.gan.game import trunks_of
from plausible.nn.networks import activation, initialise, perceptron

_WIDE = (24, 48, 96)  # random features at half, a quarter and an eighth of the size
_HEAD = 32  # channels that learn on top of each


def magnitudes(space: Space, config: GANConfig) -> GAN:
    """The networks of a config whose weights have rows of one length, and whose activations keep mean square 1.

    Of uncorrelated inputs of mean square 1 such a layer makes outputs of mean square 1, however long it has learned; one
    number that learns says how large the last outputs are.
    """
    trunks = trunks_of(space, config)
    generator = nn.Sequential(_kept(trunks.generator), _Gain())
    head = nn.Linear(trunks.features, 1)
    discriminator = nn.Sequential(_kept(nn.Sequential(trunks.discriminator, head)), _Gain())
    return _own(space, config, generator, discriminator)


def frozen(space: Space, config: GANConfig) -> GAN:
    """G of a config, and a D that sees random convolutions of x at three sizes, each through a head that learns."""
    return _own(space, config, trunks_of(space, config).generator, _OnRandomFeatures(space))


def palette(space: Space, colours: int, sure: float, fine: int, hard: bool = False) -> GAN:
    """The default with a palette, but of so many colours, with other shares, and with so many channels at full size.

    sure  times what the last convolution says.
    hard  each pixel has the colour of the largest share, with the gradient of shares.
    """
    config = GANConfig(architecture="antialiased")
    asked = replace(space, shape=(colours, *space.shape[1:]))
    trunks = filtered(asked, space, config.latent, None, (fine, 2 * fine))
    made = initialise(perceptron(config.latent, 256, colours * space.shape[0]))
    head = initialise(nn.Linear(trunks.features, 1), gain=math.sqrt(0.5))
    generator = (_Hard if hard else Palette)(nn.Sequential(trunks.generator, _Times(sure)), made)
    return _own(space, config, generator, nn.Sequential(trunks.discriminator, head))


class _Times(nn.Module):
    """A number times x."""

    def __init__(self, number: float):
        super().__init__()
        self.number = number

    def forward(self, x: Tensor) -> Tensor:
        return self.number * x


class _Hard(Palette):
    """Each pixel has one colour of the palette."""

    def forward(self, z: Tensor) -> Tensor:
        w = self.shares(z).softmax(1)  # (N, K, H, W)
        one = torch.zeros_like(w).scatter_(1, w.argmax(1, keepdim=True), 1.0)
        c = self.colours(z).unflatten(1, (w.shape[1], -1))  # (N, K C) -> (N, K, C)
        return torch.einsum("nkhw,nkc->nchw", one + w - w.detach(), c)


def _own(space: Space, config: GANConfig, generator: nn.Module, discriminator: nn.Module) -> GAN:
    batch = GAN(space, config).batch  # that of the config's own networks
    own = GANConfig(**{**vars(config), "architecture": None, "width": None, "batch": batch})
    return GAN(space, own, generator=generator, discriminator=discriminator)


class _UnitRows(nn.Module):
    """w / |w|, each output's weights on their own: (outputs, ...), same shape."""

    def forward(self, w: Tensor) -> Tensor:
        flat = w.flatten(1)  # (outputs, ...) -> (outputs, fan_in)
        return (flat / flat.norm(dim=1, keepdim=True).clamp(min=1e-8)).view_as(w)


class _Kept(nn.Module):
    """max(a, 0.2 a), of mean square 1 where a is N(0, 1)."""

    def forward(self, a: Tensor) -> Tensor:
        return nn.functional.leaky_relu(a, 0.2) / ((1 + 0.2**2) / 2) ** 0.5


class _Gain(nn.Module):
    """One number that learns, times x."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x


def _kept(network: nn.Module) -> nn.Module:
    """A network with such weights and activations."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.LeakyReLU):
                setattr(module, name, _Kept())
            elif isinstance(child, nn.Linear | nn.Conv2d):
                parametrize.register_parametrization(child, "weight", _UnitRows())
    return network


class _OnRandomFeatures(nn.Module):
    """The mean over sizes and places of what learned heads say of random convolutions of x: (N, C, H, W) -> (N,)."""

    def __init__(self, space: Space):
        super().__init__()
        wide = (space.shape[0], *_WIDE)
        self.stages = nn.ModuleList(
            # (N, features, h, w) -> (N, outputs, h / 2, w / 2)
            initialise(nn.Sequential(nn.Conv2d(features, outputs, 4, 2, 1), activation()))
            for features, outputs in pairwise(wide)
        ).requires_grad_(False)
        self.heads = nn.ModuleList(
            # (N, features, h, w) -> (N, 1, h / 2, w / 2)
            initialise(nn.Sequential(
                nn.Conv2d(features, _HEAD, 3, padding=1), activation(),
                nn.Conv2d(_HEAD, _HEAD, 4, 2, 1), activation(), nn.Conv2d(_HEAD, 1, 1),
            ))
            for features in _WIDE
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        logit = x.new_zeros(len(x))
        for stage, head in zip(self.stages, self.heads, strict=True):
            x = stage(x)
            logit = logit + head(x).mean((1, 2, 3)) / len(self.heads)
        return logit
