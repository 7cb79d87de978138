"""What a change of variables keeps."""

import torch
from torch import Tensor

from plausible.claims.claim import Claimed, Figure, claims, exact, resampled
from plausible.data.load import load
from plausible.models import Flow
from plausible.training import Settings, train

_STEPS, _DRAWN = 400, 50_000
_CELLS, _FINE = 24, 16  # a side of the square, and points a side of each cell
_REACH = 6.0  # standard deviations from the middle to the sides of the square


@claims
def change_of_variables(seed: int) -> Claimed:
    """A change of variables keeps the mass: what it stretches becomes as much thinner.

    A flow of couplings learns the two moons for 400 updates.  N(f(x); 0, I) |det df/dx| is added up over a square of 12
    standard deviations a side, at 384 x 384 points, and over each of its 24 x 24 cells; 50,000 samples of the flow are counted in
    the same cells.  The distance is the total variation, half the sum of absolute differences between mass and share, and
    what is left of it is the chance of counting.  N(f(x); 0, I) alone, made to add up to 1, is another distribution.
    Source: Rezende and Mohamed 2015, https://arxiv.org/abs/1505.05770.
    """
    data = load("moons")
    torch.manual_seed(seed)
    training = train(Flow(data.space), data, Settings(steps=_STEPS, seed=seed))
    for _ in training:
        pass
    flow, generator = training.averaged, torch.Generator().manual_seed(seed)
    mass, bare = _masses(flow)
    where = _cell(flow.standardise(flow.sample(_DRAWN, generator=generator).x))
    share = torch.bincount(where, minlength=_CELLS**2).double() / _DRAWN

    def distance(cells: Tensor, of: Tensor) -> float:
        counted = torch.bincount(cells, minlength=_CELLS**2).double() / len(cells)
        return ((counted - of).abs().sum() / 2).item()

    order = mass.argsort(descending=True)
    curves = {
        "samples": (mass[order].cumsum(0).tolist(), share[order].cumsum(0).tolist()),
        "N(f(x); 0, I) alone": (mass[order].cumsum(0).tolist(), (bare / bare.sum())[order].cumsum(0).tolist()),
    }  # fmt: skip
    return Claimed(
        [
            exact("integral of the density over the square", mass.sum().item(), least=0.99, most=1.01),
            exact("the same of N(f(x); 0, I) alone, in square standard deviations", bare.sum().item(), most=0.9),
            resampled("distance of counts in cells from their mass", lambda c: distance(c, mass), where, most=0.04, draws=200),
            resampled("distance from N(f(x); 0, I) alone", lambda c: distance(c, bare / bare.sum()), where, least=0.2, draws=200),
        ],
        Figure("mass of the most probable cells together", "their share", curves),
    )  # fmt: skip


@torch.no_grad()
def _masses(flow: Flow) -> tuple[Tensor, Tensor]:
    """p(x) and N(f(x); 0, I) added up over each cell in standard units, (cells,) each."""
    n = _CELLS * _FINE
    side = 2 * _REACH * ((torch.arange(n) + 0.5) / n - 0.5)  # the middle of each of n parts
    s = torch.cartesian_prod(side, side)  # (n^2, 2)
    nats = flow.log_prob(flow.restore(s)).nats.double() + flow.scale.double().log().sum()
    z = flow.encode(flow.restore(s)).double()
    normal = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    area, cell = (2 * _REACH / n) ** 2, _cell(s)
    empty = torch.zeros(_CELLS**2, dtype=torch.float64)
    mass, bare = (empty.index_add(0, cell, area * value.exp()) for value in (nats, normal))
    return mass, bare


def _cell(s: Tensor) -> Tensor:
    """The cell that points in standard units (N, 2) lie in, or are nearest to: (N,)."""
    at = (_CELLS * (s / (2 * _REACH) + 0.5)).long().clamp(0, _CELLS - 1)
    return at[:, 0] * _CELLS + at[:, 1]
