"""Who draws sharper images."""

from typing import Any

import torch
from torch import Tensor

from plausible.claims.claim import Claimed, Figure, claims, resampled
from plausible.data.load import load
from plausible.evaluation.metrics.sharpness import laplacian_variance
from plausible.models import GAN, VAE
from plausible.training import Settings, train

_STEPS, _DRAWN = 2500, 500


@claims
def sharper_samples(seed: int) -> Claimed:
    """GAN samples are sharper than what a VAE draws from z, E[x | z].

    Both learn the 8x8 digits for 2,500 rounds.  Sharpness is the variance of the Laplacian of each image, as a
    share of that of held-out digits.  A sample of the VAE adds the noise of single pixels to E[x | z], which is
    sharp too but no edge of a digit; it is in the figure.
    Sources: Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548; Larsen et al. 2016,
    https://arxiv.org/abs/1512.09300.
    """
    data = load("digits")
    real = laplacian_variance(data.heldout.as_batch().x)
    kinds: list[Any] = [GAN, VAE]
    drawn: dict[str, Tensor] = {}
    for kind in kinds:
        torch.manual_seed(seed)
        training = train(kind(data.space), data, Settings(steps=_STEPS, seed=seed))
        for _ in training:
            pass
        model, generator = training.averaged, torch.Generator().manual_seed(seed)
        x = model.sample(_DRAWN, generator=generator).x
        drawn[kind.__name__] = laplacian_variance(x)
        if kind is VAE:
            with torch.no_grad():
                means = model.decode(model.latent(_DRAWN, generator))
            drawn["VAE, E[x | z]"] = laplacian_variance(means)
    usual = real.mean().item()
    both = torch.stack([drawn["GAN"], drawn["VAE, E[x | z]"]], 1)  # (n, 2)

    def average(rows: Tensor) -> float:
        return rows.mean().item() / usual

    shares = [k / 100 for k in range(1, 100)]
    ends = torch.tensor(shares, dtype=torch.float64)
    curves = {
        name: ((rows.double() / usual).quantile(ends).tolist(), shares)
        for name, rows in {"held-out digits": real, **drawn}.items()
    }
    return Claimed(
        [
            resampled("sharpness of GAN samples, times real", average, drawn["GAN"], least=0.8, most=1.25),
            resampled("sharpness of E[x | z] of the VAE, times real", average, drawn["VAE, E[x | z]"], most=0.95),
            resampled("GAN over VAE", lambda rows: (rows[:, 0].mean() / rows[:, 1].mean()).item(), both, least=1.1),
        ],
        Figure("variance of the Laplacian, times the mean of real", "share of the images below", curves),
    )  # fmt: skip
