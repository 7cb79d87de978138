"""log (1/k) sum_i p(x, z_i) / q(z_i | x), z_i ~ q: a bound of log p(x) from below, tighter as k grows."""

import math

import torch
from torch import Tensor
from torch.func import functional_call

from plausible.models.vae.hierarchy import Choose, Hierarchy, LatentPath


def reparameterised(noise: Tensor) -> Choose:
    """z_l = m_l + s_l e_l of noise e (R, d)."""
    return lambda part, mean, scale: mean + scale * noise[:, part]


def fixed(z: Tensor) -> Choose:
    """The z_l of a z that is known, (R, d)."""
    return lambda part, mean, scale: z[:, part]


def log_ratio(z: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """log N(z; 0, I) - log N(z; m, s^2): (R, d) each -> (R,).  The two log(2 pi) cancel."""
    apart = (z - mean) / scale
    return ((apart.square() - z.square()) / 2 + scale.log()).sum(1)


def doubly_reparameterised(
    net: Hierarchy, features: list[Tensor], y: Tensor | None, noise: Tensor, draws: int
) -> tuple[LatentPath, Tensor, list[Tensor]]:
    """(path, log p(z) / q(z | x), factors) whose gradients are the doubly reparameterised ones.

    With log w = log p(x | z) + b log p(z) / q(z | x) and v_i = w_i / sum_j w_j, the derivative of
    log (1/k) sum_i w_i by the weights phi of q has the expectation of

        sum_i v_i (1 - b (1 - v_i)) (d log w_i / d z_i) (d z_i / d phi),

    for b = 1 with v_i^2: the derivative of log q by phi itself is left out, and so is its noise, which would
    drown the signal as k grows.  Here q is evaluated again by weights that do not learn, and what flows
    back into z, which has the factor v already, is multiplied by 1 - b (1 - v).  The caller appends those
    factors, (R,), to the list before it goes backward.
    Nothing on the path may be left to chance but the noise: q must be the same both times.

    noise (R, d), R = draws N -> z (R, d) of the path, ratio (R,).
    Source: Tucker et al. 2019, https://arxiv.org/abs/1810.04152.
    """
    factors: list[Tensor] = []
    path: LatentPath = net(features, y, reparameterised(noise), draws)
    if path.z.requires_grad:
        path.z.register_hook(lambda slope: slope * factors[0][:, None])
    frozen = {name: param.detach() for name, param in net.named_parameters()}
    inputs = ([f.detach() for f in features], y, fixed(path.z), draws)
    again: LatentPath = functional_call(net, frozen, inputs)
    return path, log_ratio(path.z, again.mean, again.scale), factors


def averaged(log_weights: Tensor) -> tuple[Tensor, Tensor | None]:
    """log (1/k) sum_i w_i and its standard error: log w (k, N) -> (N,), (N,) float64.

    The error is that of the mean of w over the mean of w, to first order; one draw has none.
    """
    k = len(log_weights)
    log_weights = log_weights.double()
    nats = log_weights.logsumexp(0) - math.log(k)  # (k, N) -> (N,)
    if k == 1:
        return nats, None
    share = (log_weights - log_weights.max(0).values).softmax(0)  # w_i / sum_j w_j
    spread = (share.square().sum(0) - 1 / k).clamp(min=0)  # var of share, times k
    return nats, torch.sqrt(spread * k / (k - 1))
