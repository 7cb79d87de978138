"""Which noise goes with which example while a diffusion model learns."""

from collections.abc import Callable

import torch
from torch import Tensor

from plausible.core.registry import Registry

Pairing = Callable[[Tensor, Tensor], Tensor]
"""(x (N, *shape), e (N, *shape)) -> the same e in another order."""

pairings: Registry[Pairing] = Registry("pairing")
"""Every pairing, by name."""


@pairings
def independent(x: Tensor, e: Tensor) -> Tensor:
    """As they were drawn."""
    return e


@pairings
def optimal(x: Tensor, e: Tensor) -> Tensor:
    """The least sum of |x - e|^2 over the batch: paths then hardly cross, and few steps follow them.

    Within a batch, and of a conditional model within each class of it, so that p(e | y) stays N(0, I).
    Sources: Pooladian et al. 2023, https://arxiv.org/abs/2304.14772; Tong et al. 2024, https://arxiv.org/abs/2302.00482.
    """
    from scipy.optimize import linear_sum_assignment

    cost = torch.cdist(x.flatten(1), e.flatten(1)).square()
    _, order = linear_sum_assignment(cost.cpu().numpy())
    return e[torch.as_tensor(order, device=e.device)]
