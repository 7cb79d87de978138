"""GAN losses: pure functions of the discriminator's logits that give both players' costs.

Written with softplus(a) = log(1 + e^a), because in float32 a sigmoid is exactly 1 from a = 17 on and
its logarithm of the other side is then -inf.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

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

    D has no absolute level, so its opinion of an example is relative to the mean of the other side.
    Sources: Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734; Huang et al. 2024,
    https://arxiv.org/abs/2501.05441.
    """
    return Costs(
        discriminator=softplus(fake - real),
        generator=softplus(real - fake),
        real=(real - fake.mean()).sigmoid(),
        fake=(fake - real.mean()).sigmoid(),
    )
