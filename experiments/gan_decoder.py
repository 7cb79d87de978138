"""A GAN whose G is also the decoder of a VAE while it begins, for ``gan_choices``: alone, or beside the game."""

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from plausible.core.game import Clock, Loss, Player
from plausible.core.space import Batch, Space
from plausible.data.part import Data
from plausible.models import GAN
from plausible.models.gan.config import GANConfig
from plausible.models.gan.game import trunks_of
from plausible.nn.networks import initialise

_LR = 1e-3
_BATCH = 64


class Decoder(GAN):
    """The first ``share`` of the budget G also pays, a coordinate, what the decoder of a VAE pays.

    x | z ~ N(G(z), v I) with the v of a batch that is best for it (Rybkin et al. 2021, https://arxiv.org/abs/2006.13202),
    z | x ~ N(m(x), s(x)^2) by an encoder like D, z ~ N(0, I): (D / 2 log v + KL) / D of D coordinates.
    """

    def __init__(self, space: Space, config: GANConfig, share: float):
        super().__init__(space, config)
        self.share = share
        trunks = trunks_of(space, config)
        head = initialise(nn.Linear(trunks.features, 2 * config.latent), gain=0.1)
        self.encoder = nn.Sequential(trunks.discriminator, head)

    def players(self) -> Sequence[Player]:
        """As of a GAN, but the encoder is moved with G."""
        d, g = super().players()
        return [d, replace(g, module=nn.ModuleList([self.generator, self.encoder]))]

    def g_loss(self, batch: Batch, clock: Clock) -> Loss:
        """That of the game, and that of a decoder while it begins."""
        loss = super().g_loss(batch, clock)
        if clock.progress >= self.share:
            return loss
        return Loss({**loss.terms, **self.decoder_loss(batch)}, loss.watch)

    def decoder_loss(self, batch: Batch) -> dict[str, Tensor]:
        """(D / 2 log v) / D and KL / D, of each example."""
        x, y = self._real(batch), self._labels_of(batch)
        mean, log_s = self.encoder(x).chunk(2, 1)  # (N, 2 latent) -> (N, latent)
        log_s = log_s.clamp(-8, 8)
        z = mean + log_s.exp() * torch.randn_like(mean)
        squared = (self.generator(z, y) - x).square().flatten(1).mean(1)  # (N,)
        v = squared.detach().mean()
        kl = ((mean.square() + (2 * log_s).exp() - 1) / 2 - log_s).sum(1)
        return {
            "decoder": (squared / v + v.log()) / 2,  # whose gradient is that of log v / 2
            "kl": kl / math.prod(self.space.shape),
        }


def begin_alone(model: Decoder, data: Data, minutes: float, seed: int) -> int:
    """Let encoder and decoder learn for so many minutes of one core, without a game; returns how many rounds these were."""
    learns = itertools.chain(model.encoder.parameters(), model.generator.parameters())
    optimizer = torch.optim.Adam(learns, lr=_LR)
    random = torch.Generator().manual_seed(seed)
    until, rounds = time.process_time() + 60 * minutes, 0
    while time.process_time() < until:
        rows = torch.randint(len(data.train), (_BATCH,), generator=random)
        terms = model.decoder_loss(data.train.batch(rows))
        optimizer.zero_grad()
        Loss(terms).total.backward()
        optimizer.step()
        rounds += 1
    return rounds
