"""K vectors that stand for all others: each moves to the mean of what it stands for."""

import torch
from torch import Tensor, nn

from plausible.core.ranks import sum_over_ranks

_DECAY = 0.99  # of the running counts and sums
_DEAD = 0.03  # of its fair share, below which a vector stands for too little and is put elsewhere
_LEAST = 1e-2  # of an example that a running count must hold for its mean to mean anything


class Codebook(nn.Module):
    """c_1 .. c_K, and which of them is nearest to a vector e.

    While it learns every c_k is a running mean of the e that it was nearest to.  One that is nearest to
    hardly any e is put beside one that is far from many, so that the two share them.
    Sources: van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, appendix A; Linde, Buzo and Gray
    1980, doi:10.1109/TCOM.1980.1094577 (splitting).
    """

    vectors: Tensor
    counts: Tensor
    sums: Tensor
    errors: Tensor
    aside: Tensor

    def __init__(self, size: int, features: int):
        super().__init__()
        vectors = torch.randn(size, features)
        self.register_buffer("vectors", vectors)
        self.register_buffer("counts", torch.ones(size))
        self.register_buffer("sums", vectors.clone())
        self.register_buffer("errors", torch.ones(size))  # running sums of |e - c|^2
        # where beside another a vector is put: the same on every rank, and always
        self.register_buffer("aside", torch.randn(size, features) / features**0.5)

    def distances(self, e: Tensor) -> Tensor:
        """|e - c_k|^2 of every e and k, in float32: (M, F) -> (M, K)."""
        with torch.autocast(e.device.type, enabled=False):
            e, c = e.float(), self.vectors
            return (e.square().sum(1)[:, None] + c.square().sum(1) - 2 * e @ c.T).clamp(min=0)

    @torch.no_grad()
    def update(self, e: Tensor, codes: Tensor) -> None:
        """Move towards the vectors e (M, F) that have these codes (M,)."""
        with torch.autocast(e.device.type, enabled=False):
            e = e.float()
            every = torch.arange(len(self.vectors), device=e.device)
            one_hot = (codes[:, None] == every).float()  # (M, K)
            squares = (e - self.vectors[codes]).square().sum(1)  # (M,)
            _follow(self.errors, sum_over_ranks(squares @ one_hot))
            _follow(self.counts, sum_over_ranks(one_hot.sum(0)))
            _follow(self.sums, sum_over_ranks(one_hot.T @ e))
            means = self.sums / self.counts.clamp(min=_LEAST)[:, None]
            self.vectors.copy_(torch.where(self.counts[:, None] > _LEAST, means, self.vectors))

    @torch.no_grad()
    def revive(self) -> None:
        """Put every vector that stands for too little beside one that is far from what it stands for."""
        fair = self.counts.mean()
        dead = self.counts < _DEAD * fair  # (K,)
        farthest = self.errors.masked_fill(dead, -1).argsort(descending=True)  # dead ones last
        turn = (dead.cumsum(0) - 1) % (~dead).sum()  # the first dead one goes to the farthest, ...
        other = farthest[turn]  # (K,)
        distance = (self.errors / self.counts)[other].sqrt()
        split = self.vectors[other] + self.aside * distance[:, None]  # (K, F)
        self.vectors.copy_(torch.where(dead[:, None], split, self.vectors))
        self.sums.copy_(torch.where(dead[:, None], self.vectors * fair, self.sums))
        self.counts.copy_(torch.where(dead, fair, self.counts))

    @property
    def perplexity(self) -> Tensor:
        """exp of the entropy of the shares of the codes: how many are used, 1 to K."""
        share = self.counts / self.counts.sum()
        entropy: Tensor = torch.special.entr(share).sum()
        return entropy.exp()


def _follow(mean: Tensor, now: Tensor) -> None:
    """One step of a running mean; not by lerp_, which torch's compiler cannot follow."""
    mean.copy_(mean.lerp(now, 1 - _DECAY))
