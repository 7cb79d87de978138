"""Levels that are drawn, with a gradient: how a draw moves when what decides it does, its noise held."""

import torch
from torch import Tensor

from plausible.nn.observation import Observation

_LEAST = (
    0.3  # of the mass that a level has where all are alike: below it a slope would be too steep
)


def draw_pathwise(observation: Observation, params: Tensor, u: Tensor, levels: int) -> Tensor:
    """k (...) as ``observation.draw`` draws it by u ~ U(0, 1), params (..., size), as a float with the slope -dF(k) / p(k).

    Between its levels F is taken to rise in a straight line, so that u = F(v) has one v in level k, and
    dv = -dF(v) / F'(v): implicit reparameterisation.  What is drawn is k, not v.  The mean of this slope over u is
    that of E[k], but for levels of hardly any mass, whose slopes are bounded.
    Source: Figurnov et al. 2018, https://arxiv.org/abs/1805.08498.
    """
    with torch.no_grad():
        k = observation.draw(params, u)
    below = observation.cdf(params, (k - 1).clamp(min=0)).where(k > 0, 0.0)  # F at the lower edge
    up_to = observation.cdf(params, k.clamp(max=levels - 2)).where(k < levels - 1, 1.0)
    mass = (up_to - below).detach()
    inside = ((u - below.detach()) / mass.clamp(min=1e-12)).clamp(0, 1)
    moved = -torch.lerp(below, up_to, inside) / mass.clamp(min=_LEAST / levels)
    return k + (moved - moved.detach())
