"""Couplings: one half of the channels says what becomes of the other."""

import torch
from torch import Tensor, nn

from plausible.models.flow.bijection import Bijection
from plausible.models.flow.transforms import Transform, by_coordinate


class Coupling(Bijection):
    """z_a = x_a, z_b = f(x_b; net(x_a, y)): invertible whatever the network says.

    a are the first ``kept`` channels of x (N, C, ...).  Sources: Dinh et al. 2017, https://arxiv.org/abs/1605.08803;
    with splines Durkan et al. 2019, https://arxiv.org/abs/1906.04032.
    """

    def __init__(self, kept: int, transform: Transform, net: nn.Module):
        super().__init__()
        self.kept, self.transform, self.net = kept, transform, net

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (N, C, ...) -> z (N, C, ...) and log |det| (N,)."""
        a, b = x[:, : self.kept], x[:, self.kept :]
        b, log_slope = self.transform.forward(b, self._params(a, y))
        return torch.cat([a, b], 1), log_slope.flatten(1).sum(1)

    def inverse(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The x of z (N, C, ...), as fast as the way there."""
        a, b = z[:, : self.kept], z[:, self.kept :]
        return torch.cat([a, self.transform.inverse(b, self._params(a, y))], 1)

    def _params(self, a: Tensor, y: Tensor | None) -> Tensor:
        return by_coordinate(self.net(a, y), self.transform.size)
