"""The deep convolutional GAN, with batch norm in both players."""

import math
from itertools import pairwise

from torch import nn

from plausible.core.space import Space
from plausible.models.gan.architectures.trunks import Trunks, architectures
from plausible.nn.batch_norm import BatchNorm2d
from plausible.nn.networks import halvings, need_images


@architectures
def dcgan(space: Space, d_space: Space, inputs: int, width: int | None) -> Trunks:
    """Strided 4x4 convolutions and batch norm, ReLU in G, leaky ReLU 0.2 in D, tanh at the end.

    ``width`` channels (64) at half of the full size, doubled at each halving to at most 8 times that;
    weights ~ N(0, 0.02^2).  For images with sides of 8 to 256.  D's batch norm keeps no running
    statistics, since D is only asked about batches.
    Source: Radford et al. 2016, https://arxiv.org/abs/1511.06434.
    """
    need_images(space, "dcgan")
    sizes, base = halvings(*space.shape[1:]), width or 64
    wide = [base * min(2**i, 8) for i in range(len(sizes) - 1)]  # at sizes[1:]

    up: list[nn.Module] = [
        nn.Linear(inputs, wide[-1] * math.prod(sizes[-1]), bias=False),
        nn.Unflatten(1, (wide[-1], *sizes[-1])),
    ]
    stages = list(pairwise(zip(sizes, [space.shape[0], *wide], strict=True)))
    for (full, outputs), (half, features) in reversed(stages):
        # (N, features, h // 2, w // 2) -> (N, outputs, h, w), the lost row or column restored
        odd = (full[0] - 2 * half[0], full[1] - 2 * half[1])
        up += [
            BatchNorm2d(features),
            nn.ReLU(),
            nn.ConvTranspose2d(features, outputs, 4, stride=2, padding=1, output_padding=odd),
        ]
    up.append(nn.Tanh())

    down: list[nn.Module] = []
    for i, (channels, outputs) in enumerate(pairwise([d_space.shape[0], *wide])):
        # (N, channels, h, w) -> (N, outputs, h // 2, w // 2)
        down.append(nn.Conv2d(channels, outputs, 4, stride=2, padding=1))
        if i:
            down.append(BatchNorm2d(outputs, track_running_stats=False))
        down.append(nn.LeakyReLU(0.2))
    down.append(nn.Flatten())

    networks = nn.Sequential(*up), nn.Sequential(*down)  # G and D
    for network in networks:
        for layer in network.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, 0.0, 0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
            elif isinstance(layer, BatchNorm2d):
                nn.init.normal_(layer.weight, 1.0, 0.02)
    features = wide[-1] * math.prod(sizes[-1])
    return Trunks(*networks, features, batch_statistics=len(wide) > 1)
