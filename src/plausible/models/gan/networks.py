"""The two players' networks, G: (z, y) -> x and D: (x, y) -> logit, around a pair of any architecture."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from plausible.models.gan.architectures import Trunks
from plausible.nn.networks import initialise


class Generator(nn.Module):
    """G(z, y): the label's embedding stands beside z.  z (N, d), y (N,) -> (N, *shape)."""

    def __init__(self, pair: Trunks, classes: int, embedding: int):
        super().__init__()
        self.embed = nn.Embedding(classes, embedding) if classes else None
        self.network = pair.synthesis

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """G(z, y) in standard units: (N, d), (N,) -> (N, *shape)."""
        if self.embed is not None:
            z = torch.cat([z, self.embed(y)], 1)  # (N, d) -> (N, d + embedding)
        return self.network(z)


class DOutput(NamedTuple):
    """What D says of N inputs: ``logit`` (N,) of being real, ``labels`` (N, classes) logits, or (N, 0)."""

    logit: Tensor
    labels: Tensor


class Discriminator(nn.Module):
    """D(x, y) = w . h(x) + b, with the label by one of three ways.

    projection     + v_y . h(x) (Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637)
    auxiliary      a second head says p(y | x) (Odena et al. 2017, https://arxiv.org/abs/1610.09585)
    concatenation  h sees x beside an embedding of y: one more channel of an image, 16 more
                   coordinates of a vector (Mirza and Osindero 2014, https://arxiv.org/abs/1411.1784)

    packed     so many inputs of x stand side by side and get one logit (Lin et al. 2018,
               https://arxiv.org/abs/1712.04086).
    deviation  h gets one more number, the standard deviation of each feature over the batch, averaged
               over features (Karras et al. 2018, https://arxiv.org/abs/1710.10196).
    """

    def __init__(
        self,
        pair: Trunks,
        classes: int = 0,
        condition: str = "projection",
        *,
        beside: tuple[int, ...] = (),
        packed: int = 1,
        deviation: bool = False,
        spectral: bool = False,
    ):
        super().__init__()
        features = pair.features + deviation
        self.packed, self.deviation = packed, deviation
        self.whole_batch = deviation or pair.batch_statistics
        self.network = pair.analysis
        self.head = initialise(nn.Linear(features, 1), gain=math.sqrt(0.5))
        self.project = self.label = self.beside = None
        if classes and condition == "projection":
            self.project = nn.Embedding(classes, features)
            nn.init.normal_(self.project.weight, std=features**-0.5)
        elif classes and condition == "auxiliary":
            self.label = initialise(nn.Linear(features, classes), gain=math.sqrt(0.5))
        elif classes:
            self.beside = nn.Sequential(
                nn.Embedding(classes, math.prod(beside)), nn.Unflatten(1, beside)
            )
        if spectral:
            for layer in self.modules():
                if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding):
                    if not layer.weight.any():  # a map that starts at 0 has no norm to divide by
                        nn.init.normal_(layer.weight)
                    spectral_norm(layer)

    def forward(self, x: Tensor, y: Tensor | None = None) -> DOutput:
        """D(x, y) of x in standard units: (N, *shape), (N,) -> logits (N / packed,)."""
        if self.packed > 1:
            # (N, C, ...) -> (N / packed, packed C, ...)
            x = x.unflatten(0, (-1, self.packed)).flatten(1, 2)
        if self.beside is not None:
            x = torch.cat([x, self.beside(y)], 1)  # (N, C, ...) -> (N, C + 1, ...)
        h = self.network(x)  # (N, C, ...) -> (N, F)
        if self.deviation:
            spread = (h.var(0, correction=0) + 1e-8).sqrt().mean()  # (N, F) -> ()
            h = torch.cat([h, spread.expand(len(h), 1)], 1)  # (N, F) -> (N, F + 1)
        logit = self.head(h).squeeze(1)  # (N, F) -> (N,)
        if self.project is not None:
            logit = logit + (self.project(y) * h).sum(1)  # (N, F) -> (N,)
        labels = h[:, :0] if self.label is None else self.label(h)  # (N, F) -> (N, classes)
        return DOutput(logit.float(), labels.float())
