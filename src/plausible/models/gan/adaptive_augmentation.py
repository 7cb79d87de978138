"""How strongly to augment, from how much more D believes in data it learns from than in others."""

import torch
from torch import Tensor, nn

from plausible.core.ranks import mean_over_ranks, number_of_ranks

TARGET_GAP = 0.3
LARGEST_P = 0.8
_MEMORY = 0.98  # of the running means, a call
_SPAN = 64_000  # validation examples in which p can go from 0 to 1


class AdaptiveAugmentation(nn.Module):
    """p, the probability of each augmentation, moved up while D's held-out gap exceeds ``TARGET_GAP``.

    gap = E[D(train) - D(validation)] / E[D(train) - D(G(z))]: 0 while D treats unseen data as it treats
    those it learns from, 1 once unseen data look as false to it as samples do: then it has learnt the
    examples by heart.  All three are asked of the same D, because the level of a relativistic D moves
    with every update.  p stays below ``LARGEST_P``, or what leaks into the samples is the augmentation.
    Source: Karras et al. 2020, https://arxiv.org/abs/2006.06676, section 3.1 (r_v).
    """

    p: Tensor
    last: Tensor
    means: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("p", torch.zeros(()))
        self.register_buffer("last", torch.zeros(2))  # mean D(train) and D(G(z)) now
        # Running means of D(train) - D(validation) and of D(train) - D(G(z)).
        self.register_buffer("means", torch.zeros(2))
        self._asked, self._active = (0, 0), False

    @property
    def active(self) -> bool:
        """Whether p > 0; what is compiled takes the last answer of ``look``."""
        if not torch.compiler.is_compiling():
            self.look()
        return self._active

    def look(self) -> None:
        """Know whether p > 0.  A GPU is only asked, and waited for, where p has changed since."""
        state = (id(self.p), self.p._version)
        if state != self._asked:
            self._asked, self._active = state, bool(self.p > 0)

    def observe(self, real: Tensor, fake: Tensor) -> None:
        """Remember the logits (N,) of D as it is now on training data and on samples."""
        self.last.copy_(torch.stack([real.detach().mean(), fake.detach().mean()]))

    @property
    def heldout_gap(self) -> Tensor:
        """The held-out gap, (), by its running means; 0 where D does not tell samples from data."""
        from_validation, from_samples = self.means
        return torch.where(from_samples > 0, from_validation / from_samples.clamp(min=1e-12), 0.0)

    def update(self, validation: Tensor) -> None:
        """One step of p towards the target, from D's logits (N,) on validation data."""
        train, fake = self.last
        unseen = mean_over_ranks(validation.mean())
        now = torch.stack([train - unseen, train - fake])  # (2,)
        self.means.lerp_(now, 1 - _MEMORY)
        seen = len(validation) * number_of_ranks()
        step = torch.sign(self.heldout_gap - TARGET_GAP) * (seen / _SPAN)
        self.p.add_(step).clamp_(0, LARGEST_P)
