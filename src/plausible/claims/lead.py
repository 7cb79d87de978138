"""How far ahead the discriminator should be."""

import torch
from torch import Tensor

from plausible.claims.claim import Claimed, Figure, claims, resampled
from plausible.core.optimizers import Adam
from plausible.data.load import load
from plausible.models import GAN
from plausible.models.gan.losses import losses

_LEADS = (0, 3, 10, 30, 100, 300, 1000, 3000)
_BATCH, _SHOWN = 256, 1000


@claims
def leading_discriminator(seed: int) -> Claimed:
    """Training the discriminator first helps early on, and one that is too strong starves the generator.

    A generator as it was drawn, and the ring of 8 Gaussians.  D learns alone for 0, 3, 10, ... 3,000 updates of the
    minimax loss; after each, the slope of G's saturating cost at 1,000 samples is taken, and how fast it drives
    each towards the nearest training example.  Without a lead most are driven nowhere, with some fastest, and
    with much hardly any more.
    Sources: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, section 3; Arjovsky and Bottou 2017,
    https://arxiv.org/abs/1701.04862.
    """
    torch.manual_seed(seed)
    data = load("ring")
    model = GAN(data.space, GAN.Config(loss="minimax", penalties=()))
    model.setup(data.train)
    net, game = model.discriminator, losses["minimax"]
    real = model.standardise(data.train.as_batch().x)  # (N, 2)
    optimizer = Adam(net.parameters(), 1e-3, (0.5, 0.99))
    with torch.no_grad():
        shown = model.generator(model.latent(_SHOWN))  # (n, 2)
    after: list[Tensor] = []  # the speed at each sample (n,), lead by lead
    for done in range(_LEADS[-1] + 1):
        if done in _LEADS:
            after.append(_speed(model, shown, real))
        with torch.no_grad():
            fake = model.generator(model.latent(_BATCH))
        rows = torch.randint(len(real), (_BATCH,))
        cost = game(net(real[rows]).logit, net(fake).logit).discriminator.mean()
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
    speeds = [_median(speed) for speed in after]
    best = max(range(len(speeds)), key=speeds.__getitem__)
    both = torch.stack([after[0], after[best], after[-1]], 1)  # (n, 3)
    return Claimed(
        [
            resampled(
                f"median speed with a lead of {_LEADS[best]:,} updates, less that without, 1 / standard unit",
                lambda rows: _median(rows[:, 1]) - _median(rows[:, 0]), both, least=0.01,
            ),
            resampled("median speed with 3,000 updates, share of the fastest",
                      lambda rows: _median(rows[:, 2]) / _median(rows[:, 1]), both, most=0.3),
        ],
        Figure("updates of D before, plus 1", "median speed towards the data",
               {"saturating loss": ([float(k + 1) for k in _LEADS], speeds)}, log="x"),
    )  # fmt: skip


def _median(rows: Tensor) -> float:
    return rows.median().item()


def _speed(model: GAN, samples: Tensor, real: Tensor) -> Tensor:
    """-slope . direction of the nearest example, at each sample: (n, 2), (N, 2) -> (n,)."""
    x = samples.clone().requires_grad_()
    logit = model.discriminator(x).logit
    cost = losses["minimax"](logit.detach(), logit).generator.sum()
    (slope,) = torch.autograd.grad(cost, x)
    way = real[torch.cdist(samples, real).argmin(1)] - samples  # (n, 2)
    return -(slope * way).sum(1) / way.norm(dim=1).clamp(min=1e-12)
