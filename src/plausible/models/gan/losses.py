"""GAN losses: pure functions of the discriminator's logits that give both players' costs.

Written with softplus(a) = log(1 + e^a), because in float32 a sigmoid is exactly 1 from a = 17 on and
its logarithm of the other side is then -inf.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu, softplus

from plausible.core.ranks import mean_over_ranks
from plausible.core.registry import Registry


@dataclass(frozen=True)
class Costs:
    """What each player pays for each example, and what D says of each side; all (N,).

    real, fake  D(x) and D(G(z)) as probabilities of being real: for people to watch, not trained on.
    """

    discriminator: Tensor
    generator: Tensor
    real: Tensor
    fake: Tensor


losses: Registry[Callable[[Tensor, Tensor], Costs]] = Registry("loss")
"""f(real, fake) -> Costs: logits of N real and N generated examples, each (N,)."""

RELATIVE = frozenset({"relativistic", "relativistic-average"})
"""The losses by which G pays for a sample beside data: D has to see data, too, where G learns."""


@losses
def minimax(real: Tensor, fake: Tensor) -> Costs:
    """min_G max_D E log D(x) + E log(1 - D(G(z))): the zero-sum game.

    The generator's gradient on a logit a is -s(a): it vanishes where D is sure of a fake.
    Source: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, equation 1.
    """
    return Costs(
        discriminator=softplus(-real) + softplus(fake),
        generator=-softplus(fake),
        real=real.sigmoid(),
        fake=fake.sigmoid(),
    )


@losses
def nonsaturating(real: Tensor, fake: Tensor) -> Costs:
    """D as in minimax; G minimises -E log D(G(z)), with the gradient -(1 - s(a)) on a logit a.

    Source: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, section 3.
    """
    return Costs(
        discriminator=softplus(-real) + softplus(fake),
        generator=softplus(-fake),
        real=real.sigmoid(),
        fake=fake.sigmoid(),
    )


@losses
def relativistic(real: Tensor, fake: Tensor) -> Costs:
    """Is x_i more real than G(z_i)?  L_D = softplus(-(D(x) - D(G(z)))), L_G with the sides swapped.

    D has no absolute level, so what it says of an example is relative to the mean of the other side.
    Sources: Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734; Huang et al. 2024,
    https://arxiv.org/abs/2501.05441.
    """
    return Costs(
        discriminator=softplus(fake - real),
        generator=softplus(real - fake),
        real=(real - fake.mean()).sigmoid(),
        fake=(fake - real.mean()).sigmoid(),
    )


@losses
def relativistic_average(real: Tensor, fake: Tensor) -> Costs:
    """Is x more real than the average G(z), and the other way round?  Each by softplus.

    L_D = softplus(-(D(x) - E D(G(z)))) + softplus(D(G(z)) - E D(x)), L_G with the sides swapped.  The
    means are over the batch, so it cannot be split.
    Source: Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734.
    """
    a, b = real - mean_over_ranks(fake.mean()), fake - mean_over_ranks(real.mean())
    return Costs(
        discriminator=softplus(-a) + softplus(b),
        generator=softplus(a) + softplus(-b),
        real=a.sigmoid(),
        fake=b.sigmoid(),
    )


@losses
def least_squares(real: Tensor, fake: Tensor) -> Costs:
    """L_D = (D(x) - 1)^2 / 2 + D(G(z))^2 / 2, L_G = (D(G(z)) - 1)^2 / 2: targets 1 and 0 for the logit.

    Source: Mao et al. 2017, https://arxiv.org/abs/1611.04076, equation 9.
    """
    return Costs(
        discriminator=((real - 1).square() + fake.square()) / 2,
        generator=(fake - 1).square() / 2,
        real=(2 * real - 1).sigmoid(),  # one half where the targets meet
        fake=(2 * fake - 1).sigmoid(),
    )


@losses
def hinge(real: Tensor, fake: Tensor) -> Costs:
    """L_D = max(0, 1 - D(x)) + max(0, 1 + D(G(z))), L_G = -D(G(z)).

    Sources: Lim and Ye 2017, https://arxiv.org/abs/1705.02894; Miyato et al. 2018,
    https://arxiv.org/abs/1802.05957.
    """
    return Costs(
        discriminator=relu(1 - real) + relu(1 + fake),
        generator=-fake,
        real=real.sigmoid(),
        fake=fake.sigmoid(),
    )


@losses
def wasserstein(real: Tensor, fake: Tensor) -> Costs:
    """L_D = D(G(z)) - D(x), L_G = -D(G(z)): the dual of the earth mover's distance for 1-Lipschitz D.

    It needs something that bounds the slope of D: the penalty wgan-gp, spectral norm or clipping.  D
    has no absolute level, so what it says of an example is relative to the mean of the other side.
    Source: Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875.
    """
    return Costs(
        discriminator=fake - real,
        generator=-fake,
        real=(real - fake.mean()).sigmoid(),
        fake=(fake - real.mean()).sigmoid(),
    )
