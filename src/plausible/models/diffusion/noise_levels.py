"""The loss at each quarter of the noise levels: a loss alone says nothing, because most of it is noise that nobody can know."""

import torch
from torch import Tensor

_QUARTERS = ("least", "second", "third", "most")


@torch.no_grad()
def loss_by_noise(cost: Tensor, u: Tensor) -> dict[str, Tensor]:
    """{name: mean cost}: cost (N,) of examples whose noise level is the share u (N,) of all, 0 <= u < 1."""
    quarter, none = (4 * u).long().clamp(max=3), cost.new_zeros(4)
    counts = none.index_add(0, quarter, torch.ones_like(cost)).clamp(min=1)  # (4,)
    means = none.index_add(0, quarter, cost) / counts
    return {f"loss at {name} noise": mean for name, mean in zip(_QUARTERS, means, strict=True)}
