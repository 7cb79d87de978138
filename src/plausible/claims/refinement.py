"""What a game costs that sharpens."""

from typing import Any

import torch
from torch import Tensor

from plausible.claims.claim import Claimed, Figure, claims, mean
from plausible.core.refinement import RefinementConfig
from plausible.data.load import load
from plausible.data.part import Data
from plausible.evaluation.metrics.sharpness import laplacian_variance
from plausible.models import VAE
from plausible.models.refined.objectives import refined
from plausible.training import Settings, train

_STEPS, _REFINED = 1500, 300
_DRAWN, _DRAWS = 1000, 20
_WEIGHTS = (1.0, 0.1, 0.0)  # of the own loss beside the game


@claims
def sharpness_for_nats(seed: int) -> Claimed:
    """What a game adds in sharpness it takes in nats.

    A VAE learns the 8x8 digits for 1,500 rounds, and then plays its samples against a discriminator for 300 more,
    with its own loss beside the game at weight 1, 0.1 and 0.  Sharpness is the variance of the Laplacian of E[x | z],
    at the same z before and after, as a share of that of held-out digits; nats are those of the same held-out digits.
    Maximum likelihood loses most where it says too little probability, a game where it draws what is not there: no
    model that is not the truth is the best for both.
    Sources: Theis et al. 2016, https://arxiv.org/abs/1511.01844; Larsen et al. 2016, https://arxiv.org/abs/1512.09300.
    """
    data, config = load("digits"), VAE.Config()
    torch.manual_seed(seed)
    training = train(VAE(data.space, config), data, Settings(steps=_STEPS, seed=seed))
    list(training)
    start = training.averaged
    sharp, nats = _measured(start, data, seed)
    gains, losses = {}, {}
    for weight in _WEIGHTS:
        found = _refined(start, data, weight, seed)
        after, said = _measured(found, data, seed)
        gains[weight], losses[weight] = after - sharp, nats - said
    usual = sharp.mean().item()
    path = [usual + gains[weight].mean().item() for weight in _WEIGHTS]
    cost = [losses[weight].mean().item() for weight in _WEIGHTS]
    return Claimed(
        [
            mean("sharpness that the game alone adds, times real", gains[0.0], least=0),
            mean("nats that it takes", losses[0.0], least=0),
            mean("nats that the own loss at weight 1 saves", losses[0.0] - losses[1.0], least=0),
        ],
        Figure(
            "nats of log p lost", "sharpness of E[x | z], times real",
            {"before, then with the own loss at weight 1, 0.1 and 0": ([0.0, *cost], [usual, *path])},
        ),
    )  # fmt: skip


def _refined(start: VAE, data: Data, weight: float, seed: int) -> VAE:
    """The same model after a game."""
    torch.manual_seed(seed)
    game = RefinementConfig("adversarial", likelihood_weight=weight)
    model: Any = refined(VAE, game, data.space, start.config)
    training = train(model, data, Settings(steps=_REFINED, seed=seed))
    for each in (training.raw, training.averaged):
        each.begin_with(start.state_dict())
    list(training)
    found: VAE = training.averaged
    return found


@torch.no_grad()
def _measured(model: VAE, data: Data, seed: int) -> tuple[Tensor, Tensor]:
    """Sharpness of E[x | z] at the same z (n,), times real, and log p of each held-out digit (m,)."""
    heldout = data.heldout.as_batch().x
    z = model.latent(_DRAWN, torch.Generator().manual_seed(seed))
    sharp = laplacian_variance(model.decode(z)) / laplacian_variance(heldout).mean()
    generator = torch.Generator().manual_seed(seed)
    return sharp, model.log_prob(heldout, samples=_DRAWS, generator=generator).nats.double()
