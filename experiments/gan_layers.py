"""Networks that ``gan_choices`` tries in the places of a GAN's own: layers that keep magnitudes, a D on features that never learn, grain."""

import math
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from plausible.core.space import Space
from plausible.models import GAN
from plausible.models.gan.architectures.antialiased import Binomial, filtered
from plausible.models.gan.config import GANConfig
from plausible.models.gan.game import trunks_of
from plausible.nn.networks import activation, channels_last, halvings, initialise

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


def grain(space: Space, config: GANConfig, channels: int, seen: int = 0, fine: int = 8) -> GAN:
    """The networks of a config with antialiased ones, whose G has a z for each pixel beside those of the whole image.

    x = m(z) + s(z) (k * e): e (channels, H, W) are these, k a 3x3 convolution that learns, and s says how much of it a place has.
    seen  so many channels D has at the full size, where it has none otherwise.
    fine  so many G has there.
    """
    asked = replace(space, shape=(2 * space.shape[0], *space.shape[1:]))
    trunks = filtered(asked, space, config.latent, config.width, (fine, 2 * fine))
    pixels = (channels, *space.shape[1:])
    generator = _Grain(trunks.generator, config.latent, pixels, space.shape[0])
    all_of_z = replace(config, latent=config.latent + math.prod(pixels))
    trunk, features = trunks.discriminator, trunks.features
    if seen:
        trunk, features = initialise(_at_the_full_size(space, seen)), 256
    head = initialise(nn.Linear(features, 1), gain=math.sqrt(0.5))
    return _own(space, all_of_z, generator, nn.Sequential(trunk, head))


def _at_the_full_size(space: Space, channels: int) -> nn.Sequential:
    """(N, *shape) -> (N, 256): a convolution at the full size, and strided ones that double its channels to about 4x4 pixels."""
    sizes = halvings(*space.shape[1:])
    wide = [channels * min(2**i, 8) for i in range(len(sizes))]
    layers: list[nn.Module] = [nn.Conv2d(space.shape[0], channels, 3, padding=1), activation()]
    for features, outputs in pairwise(wide):
        # (N, features, h, w) -> (N, outputs, h // 2, w // 2)
        layers += [nn.Conv2d(features, outputs, 4, stride=2, padding=1), activation()]
    layers += [nn.Flatten(), nn.Linear(wide[-1] * math.prod(sizes[-1]), 256), activation()]
    return channels_last(nn.Sequential(*layers))


def soft_colours(space: Space, config: GANConfig) -> GAN:
    """The networks of a config with antialiased ones, whose G draws brightness and two colour differences, and these smoothed."""
    trunks = filtered(space, space, config.latent, config.width, (8, 16))
    head = initialise(nn.Linear(trunks.features, 1), gain=math.sqrt(0.5))
    generator = nn.Sequential(trunks.generator, _SoftColours())
    return _own(space, config, generator, nn.Sequential(trunks.discriminator, head))


class _SoftColours(nn.Module):
    """(Y, Cb, Cr) -> (R, G, B), the differences filtered: (N, 3, H, W), same shape."""

    def __init__(self) -> None:
        super().__init__()
        self.smoothed = Binomial()

    def forward(self, x: Tensor) -> Tensor:
        blue, red = self.smoothed(x[:, 1:]).chunk(2, 1)  # (N, 2, H, W) -> (N, 1, H, W)
        mixed = torch.cat([1.402 * red, -0.344 * blue - 0.714 * red, 1.772 * blue], 1)
        return x[:, :1] + mixed  # (N, 1, H, W) and (N, 3, H, W) -> (N, 3, H, W)


class _Grain(nn.Module):
    """m(z) + s(z) (k * e): (N, inputs + channels H W) -> (N, C, H, W)."""

    def __init__(self, both: nn.Module, inputs: int, pixels: tuple[int, ...], outputs: int):
        super().__init__()
        self.both, self.inputs, self.pixels = both, inputs, pixels
        self.correlated = initialise(nn.Conv2d(pixels[0], outputs, 3, padding=1, bias=False))

    def forward(self, z: Tensor) -> Tensor:
        image, pixels = z.tensor_split([self.inputs], 1)  # (N, inputs), (N, channels H W)
        mean, strength = self.both(image).chunk(2, 1)  # (N, 2 C, H, W) -> (N, C, H, W)
        e = pixels.unflatten(1, self.pixels)  # -> (N, channels, H, W)
        return mean + strength * self.correlated(e)


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
