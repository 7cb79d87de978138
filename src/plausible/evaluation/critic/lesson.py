"""What a critic learns from, and how good it has become."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from plausible.core.space import Space
from plausible.evaluation.evaluation_set import Embedded

SURE = 0.01  # nats of loss at which there is nothing left to learn
_MOST = 20_000  # points of each side that a critic learns from
_HELD = 1000  # points of each side that say when to stop

Critic = Callable[[Embedded], Tensor]
"""n points -> (n,) float32, the log of the odds that each is a sample."""


def balanced_loss(real: Tensor, samples: Tensor) -> float:
    """The mean surprise in nats at who is a sample, both sides weighed alike; log 2 for a guess.

    real (n,) and samples (m,): the log of the odds that each is a sample.
    """
    return (softplus(real).mean() + softplus(-samples).mean()).item() / 2


def surest_threshold(real: Tensor, samples: Tensor) -> float:
    """The log odds from which to say "sample", so that the shares of both that lie above differ most surely.

    Where a tenth of the samples is wrong and the rest right, 0 would be a coin toss for most, and their noise would
    hide the others.  real (n,) and samples (m,): log odds; the difference of shares in units of its error, with one
    more hit and one more miss on each side, is largest at the threshold, one of 99 quantiles of both.
    """
    pooled = torch.cat([real, samples])
    at = pooled.quantile(torch.linspace(0.01, 0.99, 99))  # (99,)
    shares, errors = [], []
    for side in (samples, real):
        above = (side[:, None] > at).sum(0)  # (n, 99) -> (99,)
        share = (above + 1) / (len(side) + 2)
        shares.append(share)
        errors.append(share * (1 - share) / len(side))
    z = (shares[0] - shares[1]) / (errors[0] + errors[1]).sqrt()
    return at[z.argmax()].item()


@dataclass(frozen=True, eq=False)
class Lesson:
    """Training data and samples: what the weights learn from, and what says when to stop.

    progress  called with the share of the budget that is used.
    """

    space: Space
    real: Embedded
    samples: Embedded
    real_validation: Embedded
    samples_validation: Embedded
    seed: int
    progress: Callable[[float], None]

    def loss(self, critic: Critic) -> float:
        """That of the validation part."""
        return balanced_loss(critic(self.real_validation), critic(self.samples_validation))

    def threshold(self, critic: Critic) -> float:
        """``surest_threshold`` by the validation part."""
        return surest_threshold(critic(self.real_validation), critic(self.samples_validation))


@dataclass(frozen=True, eq=False)
class Learned:
    """A critic at its best moment within a budget of updates.

    loss         of the validation part.
    description  what it is, for people.
    """

    critic: Critic
    loss: float
    updates: int
    budget: int
    description: str


def split(points: Embedded, generator: torch.Generator) -> tuple[Embedded, Embedded]:
    """(what is learned from, what says when to stop): a fifth at random, at most 1,000, of at most 20,000."""
    rows = torch.randperm(len(points), generator=generator)[:_MOST]
    held = min(max(1, len(rows) // 5), _HELD)
    return points[rows[held:]], points[rows[:held]]


def batches(rows: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Full batches of one permutation of these rows after another; of fewer than ``size`` all of them."""
    while True:
        for few in rows[torch.randperm(len(rows), generator=generator)].split(size):
            if len(few) == min(len(rows), size):
                yield few
