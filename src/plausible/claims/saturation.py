"""Which loss still teaches a generator that is far off."""

import torch

from plausible.claims.claim import Claimed, Figure, claims, exact, resampled
from plausible.data.load import load
from plausible.diagnosis.discriminator import SAMPLE_GRADIENT
from plausible.diagnosis.probe import probe_reference, run_probes
from plausible.models import GAN
from plausible.models.gan.losses import losses
from plausible.training import Settings, train

_STEPS, _EVERY = 100, 4
_BLOCK = 5  # rounds, which are more alike within than between


@claims
def saturating_gradient(seed: int) -> Claimed:
    """Early on the saturating loss gives the generator no gradient, and the non-saturating one does.

    On a logit a = D(G(z)) the first passes on s(a), the second 1 - s(a), and while D tells samples easily a is
    far below 0.  Two GANs with the same first weights, perceptrons as in the source, learn the 8x8 digits for 100
    rounds without penalties, D by 20 updates a round, one with each loss; every 4 rounds the slope of each cost
    at the samples is taken.  The picture beside shows the slopes over a.
    Source: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, section 3.
    """
    data = load("digits")
    slopes: dict[str, list[float]] = {}
    for loss in ("minimax", "nonsaturating"):
        torch.manual_seed(seed)
        config = GAN.Config(loss=loss, penalties=(), updates=20, augment=(), architecture="mlp")
        training = train(GAN(data.space, config), data, Settings(steps=_STEPS, seed=seed))
        reference = probe_reference(training.raw, data, seed)
        slopes[loss] = []
        for step in training:
            if step.clock.step % _EVERY == 0:
                readings = run_probes(training, reference, seed)
                slopes[loss].append(readings[SAMPLE_GRADIENT])
    rounds = [float(k * _EVERY) for k in range(_STEPS // _EVERY)]
    good, bad = (torch.tensor(slopes[loss]) for loss in ("nonsaturating", "minimax"))
    ratio = (good / bad.clamp(min=1e-12)).log10()
    a = torch.linspace(-8, 8, 81, requires_grad=True)
    by_a = {}
    for loss in slopes:
        (slope,) = torch.autograd.grad(losses[loss](torch.zeros_like(a), a).generator.sum(), a)
        by_a[loss] = slope.abs()
    apart = (by_a["minimax"] - a.detach().sigmoid()).abs().max() + (
        by_a["nonsaturating"] - (-a.detach()).sigmoid()
    ).abs().max()
    return Claimed(
        [
            resampled(
                "non-saturating over saturating slope, decades", lambda rows: rows.mean().item(),
                ratio.unflatten(0, (-1, _BLOCK)), least=0.5,
            ),
            exact("largest gap of the slopes over a to s(a) and 1 - s(a)", apart.item(), most=1e-5),
        ],
        Figure("round", "|d cost / d G(z)|, median", {loss: (rounds, values) for loss, values in slopes.items()}, log="y"),
        Figure("a = D(G(z)), logit", "|d cost / d a|", {loss: (a.tolist(), slope.tolist()) for loss, slope in by_a.items()}),
    )  # fmt: skip
