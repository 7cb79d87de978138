"""How strongly to augment, from how much more D believes in data it learns from than in others."""

import torch
from torch import Tensor, nn

TARGET = 0.3
CAP = 0.8
_MEMORY = 0.95  # of the running means, a call
_SPAN = 64_000  # examples in which p can go from 0 to 1


class Strength(nn.Module):
    """p, the probability of each augmentation, moved up while D's held-out gap exceeds ``TARGET``.

    gap = (E D(train) - E D(validation)) / (E D(train) - E D(G(z))): 0 while D treats unseen data as it
    treats those it learns from, 1 once unseen data look as false to it as samples do: then it has
    learnt the examples by heart.  It does not depend on D's absolute level.  p stays below ``CAP``,
    or what leaks into the samples is the augmentation.
    Source: Karras et al. 2020, https://arxiv.org/abs/2006.06676, section 3.1 (r_v).
    """

    p: Tensor
    means: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("p", torch.zeros(()))
        # Running means of D on train, samples and validation, each with its total weight.
        self.register_buffer("means", torch.zeros(3, 2))

    def saw(self, place: int, logits: Tensor) -> None:
        """Note D's logits (N,) on training data (0), samples (1) or validation data (2)."""
        now = torch.stack([logits.detach().mean(), logits.new_ones(())])  # (2,)
        self.means[place].lerp_(now, 1 - _MEMORY)

    @property
    def gap(self) -> Tensor:
        """The held-out gap, (), as far as it is known; 0 where D does not tell samples from data."""
        train, fake, validation = self.means[:, 0] / self.means[:, 1].clamp(min=1e-6)  # (3,)
        told = train - fake
        return torch.where(told > 0, (train - validation) / told.clamp(min=1e-6), 0.0)

    def move(self, examples: int) -> None:
        """One step of p for so many examples seen since the last, towards the target."""
        step = torch.sign(self.gap - TARGET) * (examples / _SPAN)
        self.p.add_(step).clamp_(0, CAP)
