"""Principal components: the directions in which data vary most, and noise of one variance in all the others."""

import math

import torch
from torch import Tensor, nn

from plausible.core.device import seeded

_MORE, _PASSES = 10, 6  # directions beyond those kept, and passes, of the randomised decomposition


class PrincipalAxes(nn.Module):
    """v = m + U z + r, z = U'(v - m) the first d principal components, r ~ N(0, s^2 I) in the other D - d directions.

    mean (D,), axes U (D, d) with U'U = I, variance s^2 (): what the axes leave, for each direction; mean_variance () along
    the axes.
    Sources: Pearson 1901, doi:10.1080/14786440109462720; Tipping and Bishop 1999, doi:10.1162/089976699300016728; Halko
    et al. 2011, https://arxiv.org/abs/0909.4061 (how the axes are found).
    """

    mean: Tensor
    axes: Tensor
    variance: Tensor
    mean_variance: Tensor

    def __init__(self, dims: int, kept: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(dims, dtype=torch.float64))
        self.register_buffer("axes", torch.eye(dims, kept, dtype=torch.float64))
        self.register_buffer("variance", torch.ones((), dtype=torch.float64))
        self.register_buffer("mean_variance", torch.ones((), dtype=torch.float64))

    def measure(self, v: Tensor, least: float) -> None:
        """From points (N, D), as many axes as they have; s^2 is at least so much."""
        dims, kept = self.axes.shape
        self.mean.copy_(v.mean(0))
        centred = v - self.mean
        with seeded(0):
            size = min(kept + _MORE, *v.shape)
            _, singular, axes = torch.svd_lowrank(centred, q=size, niter=_PASSES)
        found = min(kept, size)
        if found == kept:
            self.axes.copy_(axes[:, :kept])
        else:  # any directions beside those that the points have
            self.axes.copy_(torch.linalg.qr(torch.cat([axes, self.axes], 1))[0][:, :kept])
        along = singular[:found].square().sum()
        self.mean_variance.copy_(along / (len(v) * kept))
        left = centred.square().sum() - along
        self.variance.fill_(max(left.item() / (len(v) * max(1, dims - kept)), least))

    def are(self, others: "PrincipalAxes | None") -> bool:
        """Whether points have the same coordinates along others."""
        if others is None:
            return False
        pairs = zip(self.buffers(), others.buffers(), strict=True)
        return all(torch.equal(mine, theirs) for mine, theirs in pairs)

    def forward(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """(N, D) -> z (N, d) and log N(r; 0, s^2 I) in nats (N,)."""
        dims, kept = self.axes.shape
        centred = v - self.mean
        z = centred @ self.axes
        squared = (centred.square().sum(1) - z.square().sum(1)).clamp(min=0)
        constant = (dims - kept) * (math.log(2 * math.pi) + self.variance.log())
        rest = -(squared / self.variance + constant) / 2
        return z, rest if kept < dims else torch.zeros_like(rest)

    def inverse(self, z: Tensor, e: Tensor | None = None) -> Tensor:
        """m + U z, and with e ~ N(0, I), (N, D), the noise r too: z (N, d) -> (N, D)."""
        v = self.mean + z @ self.axes.T
        if e is None:
            return v
        return v + self.variance.sqrt() * (e - (e @ self.axes) @ self.axes.T)
