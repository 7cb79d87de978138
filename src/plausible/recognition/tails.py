"""How surprising a value is among others, also beyond all of them."""

import math

import torch
from torch import Tensor

_TAIL = 0.1  # the share of values that counts as their upper tail


def tail_surprisal(values: Tensor, usual: Tensor) -> Tensor:
    """-log P(u >= v) in nats of each value v, by m usual values u: (n,), (m,) -> (n,) float64; NaN is infinitely surprising.

    Up to their upper tenth by counting, (1 + #{u >= v}) / (m + 1), and from there on by an exponential tail, so that what lies
    ten times as far is more surprising still.  The tail's mean is that of the excesses without the largest, or what
    the upper half of the usual values promises if that is more: a single odd value among few does not decide it.
    """
    order = usual.double().cpu().nan_to_num(torch.inf).sort().values
    values = values.double().cpu().contiguous().nan_to_num(torch.inf, torch.inf, -torch.inf)
    m = len(order)
    above = m - torch.searchsorted(order, values)  # how many are at least as large
    counted = -((1 + above).double() / (m + 1)).log()
    tail = min(max(2, math.ceil(_TAIL * m)), m)
    start, middle = order[m - tail], order[(m - 1) // 2]
    at_start = math.log((m + 1) / (1 + tail))
    excess = order[m - tail : m - 1] - start if tail > 1 else order[:0]
    means = [excess.mean() if len(excess) else start - start, (start - middle) / math.log(5)]
    mean = torch.stack(means).amax().clamp(min=1e-12)
    beyond = at_start + (values - start) / mean
    return torch.where(values > start, beyond, counted)
