"""The optimal discriminator."""

import math

import torch
from torch import Tensor

from plausible.claims.claim import Claimed, Figure, claims, exact, mean
from plausible.core.optimizers import Adam
from plausible.core.space import Space
from plausible.models import GAN
from plausible.models.gan.losses import losses

_STEPS, _BATCH, _TEST = 2500, 512, 20_000


class _Line:
    """A mixture of two Gaussians on the line: means (2,), deviations (2,)."""

    def __init__(self, means: tuple[float, float], deviations: tuple[float, float]):
        each = torch.distributions.Normal(torch.tensor(means), torch.tensor(deviations))
        which = torch.distributions.Categorical(torch.tensor([0.5, 0.5]))
        self._whole = torch.distributions.MixtureSameFamily(which, each)

    def sample(self, n: int) -> Tensor:
        return self._whole.sample((n,))[:, None]  # (n, 1)

    def log_prob(self, x: Tensor) -> Tensor:
        return self._whole.log_prob(x[:, 0])  # (n, 1) -> (n,)


def _value(on_real: Tensor, on_fake: Tensor) -> Tensor:
    """log D(x) + log(1 - D(G(z))) of pairs: logits (n,), (n,) -> (n,)."""
    return -losses["minimax"](on_real, on_fake).discriminator


def _trained(p: _Line, q: _Line, seed: int) -> torch.nn.Module:
    """A discriminator after 2,500 updates on fresh draws of p and q."""
    torch.manual_seed(seed)
    net = GAN(Space((1,)), GAN.Config(architecture="mlp", width=128)).discriminator
    optimizer = Adam(net.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    for _ in range(_STEPS):
        loss = -_value(net(p.sample(_BATCH)).logit, net(q.sample(_BATCH)).logit).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net


@claims
def optimal_discriminator(seed: int) -> Claimed:
    """For a given generator the best discriminator is D* = p / (p + q), and at p = q the game is worth -log 4.

    A discriminator learns to tell draws of two mixtures of Gaussians on the line, whose densities p and q
    are known, by the minimax loss.  It is compared with p / (p + q) on fresh points of both, and the value
    of the game E log D(x) + E log(1 - D(G(z))) with -log 4 + 2 JSD(p, q), which is its maximum.  Then it
    learns again where both sides are p.
    Source: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, proposition 1 and theorem 1.
    """
    p, q = _Line((-2.0, 1.0), (0.5, 0.8)), _Line((-0.5, 1.5), (1.5, 1.0))
    net, even = _trained(p, q, seed), _trained(p, p, seed)
    with torch.no_grad():
        real, fake = p.sample(_TEST), q.sample(_TEST)
        x = torch.cat([real, fake])
        best = p.log_prob(x) - q.log_prob(x)  # the logit of D*
        apart = (net(x).logit.sigmoid() - best.sigmoid()).abs()
        reached = _value(net(real).logit, net(fake).logit)
        most = _value(*best.split(_TEST))
        same = _value(even(real).logit, even(p.sample(_TEST)).logit)
        t = torch.linspace(-5, 5, 200)[:, None]
        curves = {
            "p / (p + q)": (p.log_prob(t) - q.log_prob(t)).sigmoid(),
            "D, learned": net(t).logit.sigmoid(),
            "D where q = p": even(t).logit.sigmoid(),
        }
    line = t[:, 0].tolist()
    return Claimed(
        [
            mean("mean |D - p / (p + q)|", apart, most=0.03),
            mean(
                "value of the game less -log 4 + 2 JSD, nats",
                reached - most,
                least=-0.02,
                most=0.02,
            ),
            mean("value where q = p, plus log 4, nats", same + math.log(4), least=-0.02, most=0.02),
            exact("JSD(p, q), nats", (most.mean().item() + math.log(4)) / 2),
        ],
        Figure("x", "D(x)", {name: (line, y.tolist()) for name, y in curves.items()}),
    )
