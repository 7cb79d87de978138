"""q(z | x) found by gradient ascent on z, for each x and label anew, and not by the encoder alone."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from plausible.core.capabilities import Posterior
from plausible.core.optimizers import Adam
from plausible.models.vae.bounds import fixed, reparameterised
from plausible.models.vae.hierarchy import Hierarchy, LatentPath, repeated

_STARTS = 4  # the encoder's mean, and draws of the prior
_RATE = 0.1  # of Adam


class Pairs(NamedTuple):
    """m pairs of an x and a label.

    number    which of all pairs they are, (m,).
    place     which of the x that share a batch of draws each is of, (m,).
    features  what the encoder says of them, (m, ...) each.
    targets   x as the observation wants it, (m, *shape).
    y         (m,), or None of an unconditional model.
    """

    number: Tensor
    place: Tensor
    features: list[Tensor]
    targets: Tensor
    y: Tensor | None


def optimised_posterior(
    net: Hierarchy,
    pairs: Pairs,
    log_likelihood: Callable[[Tensor, Tensor, int], Tensor],
    steps: int,
) -> Posterior:
    """q = N(z*, s^2) of each pair, z* = argmax_z log p(x | z) + log p(z) by Adam from several starts, s the encoder's at z*.

    log_likelihood  (params (k m, *shape, size), targets (m, *shape), k) -> (k, m).
    Whatever z* is, the bound at this q is a bound.
    Source: Schott et al. 2019 (analysis by synthesis), https://arxiv.org/abs/1805.09190, where s is 1.
    """
    m, d = len(pairs.number), sum(net.sizes)
    device = pairs.number.device
    encoded = _path(net, pairs, torch.zeros(m, d, device=device)).z
    drawn = torch.randn(_STARTS - 1, 1, d, generator=Generator().manual_seed(0)).to(encoded)
    starts = torch.cat([encoded[None], drawn.expand(-1, m, -1)])  # (S, m, d)
    labels = None if pairs.y is None else repeated(pairs.y, _STARTS)

    def log_joint(z: Tensor) -> Tensor:
        params = net.decode(z.flatten(0, 1), labels)
        return log_likelihood(params, pairs.targets, _STARTS) - z.square().sum(2) / 2  # (S, m)

    best, height = starts[0], torch.full((m,), -torch.inf, device=device)
    with torch.enable_grad():
        z = starts.clone().requires_grad_()
        adam = Adam([z], lr=_RATE)
        for step in range(steps + 1):
            heights = log_joint(z)
            highest, which = heights.detach().max(0)  # (S, m) -> (m,)
            chosen = z.detach()[which, torch.arange(m, device=device)]
            higher = highest > height
            best = torch.where(higher[:, None], chosen, best)
            height = torch.where(higher, highest, height)
            if step < steps:
                (z.grad,) = torch.autograd.grad(-heights.sum(), z)
                adam.step()
    path: LatentPath = net(pairs.features, pairs.y, fixed(best), 1)
    return Posterior(best, best, path.scale)


def _path(net: Hierarchy, pairs: Pairs, noise: Tensor) -> LatentPath:
    path: LatentPath = net(pairs.features, pairs.y, reparameterised(noise), 1)
    return path
