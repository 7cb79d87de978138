"""log p of a level under a mixture of logistics, with its gradient by hand."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_BEYOND = (
    1e6  # an edge so far out that a logistic has no mass behind it, and small enough to multiply
)


class LogMixtureMass(torch.autograd.Function):
    """log sum_m w_m (sigma((b - mu_m) / s_m) - sigma((a - mu_m) / s_m)) of a level between the edges a < b.

    A difference is sigma(u) sigma(l) (1 - e^-y), u = (b - mu) / s, l = (mu - a) / s, y = u + l, and
    log sigma(u) is min(u, 0) + log max(sigma(u), sigma(-u)): one logarithm of a product for each component.
    With r_m the share of component m in p, the derivative of log p is

        by log w_m before their softmax   r_m - w_m
        by mu_m                           r_m (sigma(-l) - sigma(-u)) / s_m
        by log s_m                        -r_m (u sigma(-u) + l sigma(-l) + y / (e^y - 1)),

    made beside the value, while all of that is there, and kept as one tensor.
    """

    @staticmethod
    def forward(ctx: Any, params: Tensor, target: Tensor, levels: int, sharpest: float, widest: float) -> Tensor:  # fmt: skip
        """params (..., 3 M), target (...) whole levels -> (...) nats; log s is held between the two."""
        weight, mean, raw = params.chunk(3, -1)  # (..., M) each
        below, above = _edges(target, levels, params.dtype)  # (..., 1) each
        log_s = raw.clamp(sharpest, widest)
        inverse = log_s.neg().exp_()
        upper, lower = torch.sub(above, mean).mul_(inverse), torch.sub(mean, below).mul_(inverse)
        past_upper, past_lower = upper.neg().sigmoid_(), lower.neg().sigmoid_()
        minus_y = torch.mul(inverse, below - above)
        minus_inside = minus_y.expm1()  # -(1 - e^-y)
        product = _larger_side(past_upper).mul_(_larger_side(past_lower)).mul_(minus_inside)
        log_mass = product.neg_().log_().add_(upper.clamp(max=0)).add_(lower.clamp(max=0))
        log_total, share = _log_sum(log_mass.add_(weight))
        log_weights, prior = _log_sum(weight.clone())
        slope = torch.empty_like(params)
        of_weight, of_mean, of_log_s = slope.chunk(3, -1)
        torch.sub(share, prior, out=of_weight)
        torch.sub(past_lower, past_upper, out=of_mean).mul_(inverse).mul_(share)
        torch.div(minus_y, minus_inside, out=of_log_s).add_(minus_y)
        of_log_s.addcmul_(upper, past_upper).addcmul_(lower, past_lower).mul_(share.neg_())
        of_log_s.mul_(raw == log_s)  # none where it is held
        ctx.save_for_backward(slope)
        return (log_total - log_weights).squeeze(-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of params (..., 3 M) from that of the value (...)."""
        (slope,) = ctx.saved_tensors
        return slope * outer[..., None], None, None, None, None


def _edges(target: Tensor, levels: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Where the bins of levels begin and end, the outermost far beyond [-1, 1]: (...) -> (..., 1) each."""
    width = 2 / (levels - 1)
    middle = (target[..., None] * width - 1).to(dtype)
    first, last = (target == 0)[..., None], (target == levels - 1)[..., None]
    below = (middle - width / 2).masked_fill_(first, -_BEYOND)
    return below, (middle + width / 2).masked_fill_(last, _BEYOND)


def _larger_side(p: Tensor) -> Tensor:
    """max(p, 1 - p)."""
    return p.sub(0.5).abs_().add_(0.5)


def _log_sum(logits: Tensor) -> tuple[Tensor, Tensor]:
    """log sum_m e^logit_m (..., 1), and the softmax (..., M), in the place of the logits."""
    first, *rest = logits.split(1, -1)  # in memory the components lie far apart
    most = reduce(torch.maximum, rest, first.clone())
    logits.sub_(most).exp_()
    total = reduce(torch.add, rest, first.clone())
    return total.log().add_(most), logits.div_(total)


log_mixture_mass: Callable[..., Tensor] = LogMixtureMass.apply
"""``LogMixtureMass`` as the function that it is."""
