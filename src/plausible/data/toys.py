"""Two-dimensional distributions whose density is known exactly.

Each is a mixture of equal isotropic Gaussians.  Where the centres lie densely on a curve the mixture
looks like a smooth line, and since points are drawn from that same mixture its density is exact and
not an approximation of something else.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.likelihood import LogProb, Reference
from plausible.core.registry import Registry
from plausible.core.space import Batch, Space

toys: Registry[Callable[[], "Toy"]] = Registry("toy")
BLOCK = 4096  # points whose distances to all centres are held in memory at once


@dataclass(frozen=True, eq=False)
class Toy:
    """A mixture of K Gaussians of one width in the plane, all with weight 1 / K.

    centres  (K, 2) float64, the means, on the CPU.
    sigma    standard deviation of each in each direction.
    y        (K,) int64, the class of the points around each centre.
    """

    name: str
    centres: Tensor
    sigma: float
    y: Tensor

    @property
    def space(self) -> Space:
        """The plane, with the toy's classes."""
        return Space((2,), None, int(self.y.max()) + 1)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Batch:
        """n independent points, x (n, 2) float32 and y (n,); the generator lives on the CPU."""
        which = torch.randint(len(self.centres), (n,), generator=generator)
        # float64 first: its generator takes the same path on every kind of processor
        noise = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        return Batch((self.centres[which] + self.sigma * noise).float(), self.y[which])

    def log_prob(self, x: Tensor, y: Tensor | None = None) -> LogProb:
        """The exact log density, (n, 2) -> (n,) nats; of each point's class where y (n,) is given.

        Computed in float64 on the CPU, and returned on the device and in the type of x.
        """
        points = x.cpu().double()
        blocks = []
        for i in range(0, len(points), BLOCK):
            block = points[i : i + BLOCK]
            along, across = (block[:, None, i] - self.centres[:, i] for i in (0, 1))  # (b, K)
            squares = along.square() + across.square()
            nats = -squares / (2 * self.sigma**2)
            of = torch.tensor(len(self.centres))  # how many centres share the probability
            if y is not None:
                other = y[i : i + BLOCK].cpu()[:, None] != self.y  # (b, K)
                nats = nats.masked_fill(other, -math.inf)
                of = (~other).sum(1)  # (b,)
            blocks.append(nats.logsumexp(1) - of.double().log())  # (b, K) -> (b,)
        nats = torch.cat(blocks) if blocks else points.sum(1)
        nats = nats - math.log(2 * math.pi * self.sigma**2)
        return LogProb(nats.to(x.device, x.dtype), reference=Reference.DENSITY)


@toys
def ring() -> Toy:
    """8 Gaussians of width 0.02 on a circle of radius 2 (Metz et al., Unrolled GANs, 2017)."""
    angle = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)
    return Toy("ring", 2 * _circle(angle), 0.02, torch.arange(8))


@toys
def grid() -> Toy:
    """25 Gaussians of width 0.05, 2 apart on a 5 x 5 grid (Srivastava et al., VEEGAN, 2017)."""
    side = torch.arange(-4, 5, 2, dtype=torch.float64)
    return Toy("grid", torch.cartesian_prod(side, side), 0.05, torch.arange(25))


@toys
def moons() -> Toy:
    """Two interlocking half circles of width 0.1, the curves of scikit-learn's make_moons."""
    angle = (torch.arange(256, dtype=torch.float64) + 0.5) * (math.pi / 256)
    upper = _circle(angle)
    lower = torch.tensor([1.0, 0.5], dtype=torch.float64) - upper
    return Toy("moons", torch.cat([upper, lower]), 0.1, torch.arange(2).repeat_interleave(256))


@toys
def spiral() -> Toy:
    """Two arms of width 0.1 that wind one and a half times around each other, radius 0.5 to 3."""
    fine = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    radius, angle = 0.5 + 2.5 * fine, 3 * math.pi * fine
    line = radius[:, None] * _circle(angle)  # (20001, 2)
    length = torch.cat([torch.zeros(1).double(), line.diff(dim=0).norm(dim=1).cumsum(0)])
    even = (torch.arange(512, dtype=torch.float64) + 0.5) * (length[-1] / 512)
    arm = line[torch.searchsorted(length, even)]  # (512, 2), equally far apart along the arm
    return Toy("spiral", torch.cat([arm, -arm]), 0.1, torch.arange(2).repeat_interleave(512))


def _circle(angle: Tensor) -> Tensor:
    return torch.stack([angle.cos(), angle.sin()], dim=1)  # (K,) -> (K, 2)
