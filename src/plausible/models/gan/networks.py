"""The two players' networks, G: (z, y) -> x and D: (x, y) -> logit, around the trunks of any architecture."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from plausible.core.errors import UsageError
from plausible.core.ranks import variance_over_ranks
from plausible.models.gan.architectures import Trunks
from plausible.nn.networks import initialise


class Generator(nn.Module):
    """G(z, y): the label's embedding stands beside z.  z (N, d), y (N,) -> (N, *shape)."""

    def __init__(self, trunks: Trunks, classes: int, embedding: int):
        super().__init__()
        self.embed = nn.Embedding(classes, embedding) if classes else None
        self.network = trunks.generator

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """G(z, y) in standard units: (N, d), (N,) -> (N, *shape)."""
        if self.embed is not None:
            z = torch.cat([z, self.embed(y)], 1)  # (N, d) -> (N, d + embedding)
        x: Tensor = self.network(z)
        return x


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

    label_shape    of the label's embedding that stands beside x, (1, H, W) or (16,).
    pack           so many inputs of x stand side by side and get one logit (Lin et al. 2018,
                   https://arxiv.org/abs/1712.04086).
    minibatch_std  h gets one more number, the standard deviation of each feature over the batch,
                   averaged over features (Karras et al. 2018, https://arxiv.org/abs/1710.10196).
    spectral_norm  every weight is divided by its largest singular value (Miyato et al. 2018,
                   https://arxiv.org/abs/1802.05957).
    """

    def __init__(
        self,
        trunks: Trunks,
        classes: int = 0,
        condition: str = "projection",
        *,
        label_shape: tuple[int, ...] = (),
        pack: int = 1,
        minibatch_std: bool = False,
        spectral_norm: bool = False,
    ):
        super().__init__()
        features = trunks.features + minibatch_std
        self.pack, self.minibatch_std = pack, minibatch_std
        self.whole_batch = minibatch_std or trunks.batch_statistics
        self.network = trunks.discriminator
        self.head = initialise(nn.Linear(features, 1), gain=math.sqrt(0.5))
        self.project = self.label = self.beside = None  # named as in the weights of kept runs
        if classes and condition == "projection":
            self.project = nn.Embedding(classes, features)
            nn.init.normal_(self.project.weight, std=features**-0.5)
        elif classes and condition == "auxiliary":
            self.label = initialise(nn.Linear(features, classes), gain=math.sqrt(0.5))
        elif classes:
            self.beside = nn.Sequential(
                nn.Embedding(classes, math.prod(label_shape)), nn.Unflatten(1, label_shape)
            )
        if spectral_norm:
            for layer in self.modules():
                if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding):
                    if not layer.weight.any():  # a map that starts at 0 has no norm to divide by
                        nn.init.normal_(layer.weight)
                    parametrizations.spectral_norm(layer)

    def forward(self, x: Tensor, y: Tensor | None = None) -> DOutput:
        """D(x, y) of x in standard units: (N, *shape), (N,) -> logits (N / pack,)."""
        if self.pack > 1:
            if len(x) % self.pack:
                raise UsageError(
                    f"{len(x)} examples at once cannot be packed in groups of --pack {self.pack}: choose another --batch, "
                    f"or another number of --processes, which share it"
                )
            # (N, C, ...) -> (N / pack, pack C, ...)
            x = x.unflatten(0, (-1, self.pack)).flatten(1, 2)
        if self.beside is not None:
            x = torch.cat([x, self.beside(y)], 1)  # (N, C, ...) -> (N, C + 1, ...)
        h = self.network(x)  # (N, C, ...) -> (N, F)
        if self.minibatch_std:
            std = (variance_over_ranks(h) + 1e-8).sqrt().mean()  # (N, F) -> ()
            h = torch.cat([h, std.expand(len(h), 1)], 1)  # (N, F) -> (N, F + 1)
        logit = self.head(h).squeeze(1)  # (N, F) -> (N,)
        if self.project is not None:
            logit = logit + (self.project(y) * h).sum(1)  # (N, F) -> (N,)
        labels = h[:, :0] if self.label is None else self.label(h)  # (N, F) -> (N, classes)
        return DOutput(logit.float(), labels.float())
