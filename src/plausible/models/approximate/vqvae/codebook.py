"""K vectors that stand for all others: each moves to the mean of what it stands for."""

import torch
from torch import Tensor, nn

_DECAY = 0.99  # of the running counts and sums
_IDLE = 0.03  # of its fair share, below which a vector stands for too little and is put elsewhere


class Codebook(nn.Module):
    """c_1 .. c_K, and which of them is nearest to a vector e.

    While it learns every c_k is a running mean of the e that it was nearest to, and one that is nearest
    to hardly any e is put on one of the last e that were seen.
    Sources: van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, appendix A; Razavi et al. 2019,
    https://arxiv.org/abs/1906.00446.
    """

    vectors: Tensor
    counts: Tensor
    sums: Tensor
    recent: Tensor

    def __init__(self, size: int, features: int):
        super().__init__()
        vectors = torch.randn(size, features)
        self.register_buffer("vectors", vectors)
        self.register_buffer("counts", torch.ones(size))
        self.register_buffer("sums", vectors.clone())
        self.register_buffer("recent", vectors.clone())

    def distances(self, e: Tensor) -> Tensor:
        """|e - c_k|^2 of every e and k: (M, F) -> (M, K)."""
        c = self.vectors
        return (e.square().sum(1)[:, None] + c.square().sum(1) - 2 * e @ c.T).clamp(min=0)

    @torch.no_grad()
    def learn(self, e: Tensor, codes: Tensor) -> None:
        """Move towards the vectors (M, F) that were given these codes (M,)."""
        one_hot = nn.functional.one_hot(codes, len(self.vectors)).to(e.dtype)  # (M, K)
        self.counts.lerp_(one_hot.sum(0), 1 - _DECAY)
        self.sums.lerp_(one_hot.T @ e, 1 - _DECAY)
        self.vectors.copy_(self.sums / self.counts.clamp(min=1e-3)[:, None])
        rows = torch.randint(len(e), (len(self.vectors),), device=e.device)
        self.recent.copy_(e[rows])

    @torch.no_grad()
    def revive(self) -> None:
        """Put every vector that stands for too little on one of the last seen."""
        idle = self.counts < _IDLE * self.counts.mean()  # (K,)
        fair = self.counts.mean()
        self.vectors.copy_(torch.where(idle[:, None], self.recent, self.vectors))
        self.sums.copy_(torch.where(idle[:, None], self.recent * fair, self.sums))
        self.counts.copy_(torch.where(idle, fair, self.counts))

    @property
    def perplexity(self) -> Tensor:
        """exp of the entropy of the shares of the codes: how many are used, 1 to K."""
        share = self.counts / self.counts.sum()
        return torch.special.entr(share).sum().exp()
