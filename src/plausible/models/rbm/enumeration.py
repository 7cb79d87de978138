"""log Z exactly: the sum over every state of the smaller side."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from plausible.models.rbm.energy import Energy

_MOST = 20  # units of the smaller side
_CHUNK = 2**12


def enumerable(visible: int, hidden: int) -> bool:
    """Whether one side is small enough for its states to be summed over: at most 20 units."""
    return min(visible, hidden) <= _MOST


def states(units: int, rows: Tensor) -> Tensor:
    """The binary digits of whole numbers, the highest first: rows (R,) -> (R, units) float64."""
    place = torch.arange(units - 1, -1, -1, device=rows.device)
    return (rows[:, None] // 2**place % 2).double()  # no shift, which ONNX has of no such number


@torch.no_grad()
def log_partition(energy: Energy) -> Tensor:
    """log sum_v sum_h exp(a.v + c.h + v.W h) in float64: () or, with hidden (N, H), (N,)."""
    weight, visible = energy.weight.double(), energy.visible.double()
    hidden = energy.hidden.double()
    several = hidden.reshape(-1, hidden.shape[-1])  # (N, H)
    dims, units = weight.shape
    total = None
    smaller = min(dims, units)
    for rows in torch.arange(2**smaller, device=weight.device).split(_CHUNK):
        if units <= dims:
            h = states(units, rows)  # (R, H)
            log_w = softplus(h @ weight.T + visible).sum(1)[:, None] + h @ several.T  # (R, N)
        else:
            v = states(dims, rows)  # (R, D)
            log_w = torch.stack(
                [Energy(weight, visible, c).neg_free_energy(v) for c in several], 1
            )  # (R, N)
        part = log_w.logsumexp(0)  # (N,)
        total = part if total is None else torch.logaddexp(total, part)
    assert total is not None
    return total if hidden.dim() > 1 else total[0]
