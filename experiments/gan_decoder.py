"""A GAN whose G begins as the decoder of a VAE with D's kind of network for an encoder, for ``gan_choices``."""

import math
import time

import torch
from torch import nn

from plausible.data.part import Data
from plausible.models import GAN
from plausible.models.gan.game import trunks_of
from plausible.nn.networks import initialise

_LR = 1e-3
_BATCH = 64


def begin_as_decoder(model: GAN, data: Data, minutes: float, seed: int) -> int:
    """Let G learn for so many minutes of one core as E[x | z] of a VAE; returns how many rounds these were.

    x | z ~ N(G(z), v I) with the v of a batch that is best for it (Rybkin et al. 2021, https://arxiv.org/abs/2006.13202),
    z | x ~ N(m(x), s(x)^2), z ~ N(0, I): the loss is D / 2 log v + KL, and the encoder is thrown away.
    """
    trunks = trunks_of(data.space, model.config)
    head = initialise(nn.Linear(trunks.features, 2 * model.config.latent), gain=0.1)
    encoder = nn.Sequential(trunks.discriminator, head)
    learns = [*encoder.parameters(), *model.generator.parameters()]
    optimizer = torch.optim.Adam(learns, lr=_LR)
    random = torch.Generator().manual_seed(seed)
    until, rounds = time.process_time() + 60 * minutes, 0
    while time.process_time() < until:
        rows = torch.randint(len(data.train), (_BATCH,), generator=random)
        x = model.standardise(data.train.batch(rows).x)  # (B, C, H, W)
        mean, log_s = encoder(x).chunk(2, 1)  # (B, 2 latent) -> (B, latent)
        log_s = log_s.clamp(-8, 8)
        z = mean + log_s.exp() * torch.randn(mean.shape, generator=random)
        v = (model.generator(z, None) - x).square().mean()
        kl = ((mean.square() + (2 * log_s).exp() - 1) / 2 - log_s).sum(1).mean()
        loss = math.prod(data.space.shape) / 2 * v.log() + kl
        optimizer.zero_grad()
        (loss / math.prod(data.space.shape)).backward()
        optimizer.step()
        rounds += 1
        if rounds % 500 == 0:
            print(f"  decoder: v {float(v.detach()):.4f}, KL {float(kl.detach()):.1f}", flush=True)
    return rounds
