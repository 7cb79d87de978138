"""A game that orbits, and what makes it contract."""

import math
from typing import Any

import torch
from torch import Tensor

from plausible.claims.claim import Claimed, Figure, claims, exact, resampled
from plausible.data.load import load
from plausible.models import GAN
from plausible.models.gan.losses import losses
from plausible.training import Settings, train

_STEP, _ROUNDS, _START = 0.1, 500, 1e-3
_RING_ROUNDS, _BLOCKS, _DRAWN = 1000, 10, 256
_GAME: dict[str, Any] = {
    "loss": "wasserstein", "width": 16, "beta1": 0.9, "decay": (1.0, 1.0), "burn_in": 1.0, "penalty_every": 1,
    "penalty_weight": 3.0, "penalty_weight_end": 3.0,
}  # fmt: skip


def _radii(weight: float, turned: float, simultaneous: bool) -> list[float]:
    """|(theta, psi)| over the rounds of the Dirac-GAN with R1 of this weight, in units of the start."""
    theta = torch.tensor(_START * math.cos(turned), dtype=torch.float64, requires_grad=True)
    psi = torch.tensor(_START * math.sin(turned), dtype=torch.float64, requires_grad=True)

    def costs() -> tuple[Tensor, Tensor]:
        game = losses["nonsaturating"](psi * 0.0, psi * theta)  # D(x) = psi x, data at 0
        return game.discriminator + weight / 2 * psi.square(), game.generator

    radii = []
    for _ in range(_ROUNDS):
        by_psi = torch.autograd.grad(costs()[0], psi)[0]
        if simultaneous:
            by_theta = torch.autograd.grad(costs()[1], theta)[0]
        with torch.no_grad():
            psi -= _STEP * by_psi
        if not simultaneous:
            by_theta = torch.autograd.grad(costs()[1], theta)[0]
        with torch.no_grad():
            theta -= _STEP * by_theta
        radii.append(math.hypot(theta.item(), psi.item()) / _START)
    return radii


def _centres(penalties: tuple[str, ...], seed: int) -> Tensor:
    """How far the mean of samples is from that of data after each round on the ring, in standard units: (rounds,)."""
    data = load("ring")
    torch.manual_seed(seed)
    model = GAN(data.space, GAN.Config(penalties=penalties, **_GAME))
    settings = Settings(steps=_RING_ROUNDS, seed=seed, simultaneous=True)
    training, z, distances = train(model, data, settings), model.latent(_DRAWN), []
    for _ in training:
        with torch.no_grad():
            distances.append(model.standardise(model.decode(z)).mean(0).norm())
    return torch.stack(distances)


@claims
def orbit(seed: int) -> Claimed:
    """Without a penalty the game goes round in circles; with R1 it contracts.

    The Dirac-GAN: data at 0, G draws theta, D(x) = psi x, the loss of the library.  Near the equilibrium the
    eigenvalues of its vector field are +-i/2, so simultaneous steps of 0.1 grow the radius by sqrt(1 + 0.1^2 / 4) each,
    and turns stay on an orbit; with R1 of weight g they are -g/2 +- sqrt(g^2/4 - 1/4), whose real part is below 0.
    ``seed`` turns the start.

    Then the ring of 8 Gaussians, 1,000 rounds with all players at once: Wasserstein's loss, which is linear like a game
    near its equilibrium, small perceptrons, Adam with momentum, with R1 of weight 3 and without.  The mean of the samples
    is followed over the second half, in 10 blocks of 50 rounds: without a penalty it goes away and comes back, with R1
    it stays near that of data, as near as draws and batches let it.
    Source: Mescheder et al. 2018, https://arxiv.org/abs/1801.04406.
    """
    turned = 2 * math.pi * (seed % 97) / 97
    at_once, in_turns = _radii(0.0, turned, True), _radii(0.0, turned, False)
    damped = _radii(0.5, turned, True)
    growth = at_once[-1] ** (1 / _ROUNDS)
    # |1 + h lambda| of the pair at g = 1/2
    expected = abs(1 + _STEP * complex(-0.25, math.sqrt(0.25 - 0.0625)))
    contraction = (damped[-1] / damped[249]) ** (1 / (_ROUNDS - 250))
    late = in_turns[100:]
    rounds = [float(k + 1) for k in range(_ROUNDS)]
    ring = {name: _centres(penalties, seed) for name, penalties in (("none", ()), ("R1", ("r1",)))}
    half = torch.stack([ring["none"], ring["R1"]], 1)[_RING_ROUNDS // 2 :]  # (rounds / 2, 2)
    blocks = half.square().unflatten(0, (_BLOCKS, -1)).mean(1)  # (blocks, 2)
    long = [float(k + 1) for k in range(_RING_ROUNDS)]
    return Claimed(
        [
            exact("growth of the radius a round, at once, less sqrt(1 + h^2 / 4)", growth - math.sqrt(1 + _STEP**2 / 4), least=-1e-5, most=1e-5),
            exact("largest over smallest radius, in turns", max(late) / min(late), most=1.06),
            exact("contraction a round with R1, at once", contraction, most=0.99),
            exact("less what the eigenvalues say", contraction - expected, least=-2e-3, most=2e-3),
            resampled("ring, no penalty: distance of the samples' mean from that of data, standard units",
                      lambda rows: rows[:, 0].mean().sqrt().item(), blocks, least=0.5),
            resampled("ring, with R1: share of that distance",
                      lambda rows: (rows[:, 1].mean() / rows[:, 0].mean()).sqrt().item(), blocks, most=0.5),
        ],
        Figure("round", "distance to the equilibrium", {
            "no penalty, at once": (rounds, at_once), "no penalty, in turns": (rounds, in_turns),
            "R1, at once": (rounds, damped), "ring, no penalty": (long, ring["none"].tolist()),
            "ring, R1": (long, ring["R1"].tolist()),
        }, log="y"),
    )  # fmt: skip
