"""How much less plausible the data are than what the model draws, with its gradient by hand."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import softplus

from plausible.models.rbm.sparse_units import sparse_units


class ContrastiveFreeEnergy(torch.autograd.Function):
    """mean F(data) - mean F(chains), F(v) = lambda.f - a.v - sum_j log(1 + e^f_j), f = (v - mu) W + b.

    Its gradient is that of the mean of -log p(data) where the chains are draws of the model.  By hand, one
    product gives that of W for both sides, and P(h = 1 | v), which the chains need too, is taken once.

    -> the difference (), mean F(data) (), P(h = 1 | data) (N, H), P(h = 1 | chains) (M, H).
    """

    @staticmethod
    def forward(
        ctx: Any, weight: Tensor, a: Tensor, b: Tensor, mu: Tensor, lam: Tensor,
        data: Tensor, chains: Tensor, low_precision: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        """weight (V, H), a and mu (V,), b and lam (H,), data (N, V), chains (M, V).

        low_precision  the weight again, in the precision of products.
        """
        n, m = len(data), len(chains)
        v = torch.cat([data, chains])  # (N + M, V)
        few = sparse_units(v, len(b)) if low_precision.dtype == v.dtype else None
        if few is None:
            v = v.sub_(mu).to(low_precision.dtype)
            preactivation = (v @ low_precision).float().add_(b)  # (N + M, H)
        else:
            preactivation = few.times(weight).add_(b - mu @ weight)
        on = preactivation.sigmoid()  # (N + M, H)
        slope = on - lam  # minus the derivative of F by the preactivation
        slope[:n] /= -n
        slope[n:] /= m
        free = (preactivation @ lam).sub_(softplus(preactivation).sum(1))  # (N + M,) without a
        mean_v = data.mean(0), chains.mean(0)  # (V,) each
        of_data = free[:n].mean() - mean_v[0] @ a
        of_chains = free[n:].mean() - mean_v[1] @ a
        of_b = slope.sum(0)  # (H,)
        if few is None:
            of_weight = (v.T @ slope.to(low_precision.dtype)).to(weight.dtype)  # (V, H)
        else:
            of_weight = few.transposed_times(slope).addr_(mu, of_b, alpha=-1)
        ctx.gradients = of_weight, mean_v[1] - mean_v[0], of_b
        on_data, on_chains = on.split([n, m])
        ctx.mark_non_differentiable(of_data, on_data, on_chains)
        return of_data - of_chains, of_data, on_data, on_chains

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor, *rest: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of weight, a and b; the others have none."""
        weight, a, b = (gradient.mul_(outer) for gradient in ctx.gradients)
        del ctx.gradients  # handed over, not copied
        return weight, a, b, *[None] * 5


contrastive_free_energy: Callable[..., tuple[Tensor, Tensor, Tensor, Tensor]] = (
    ContrastiveFreeEnergy.apply
)
"""``ContrastiveFreeEnergy`` as the function that it is."""
