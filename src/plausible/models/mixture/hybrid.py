"""Mixtures of all classes learned together, so that Bayes' rule on them is right."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor, nn

from plausible.core.examples import Examples, batches
from plausible.core.optimizers import Adam
from plausible.models.mixture.triangular import inverse_of

_BATCH = 256
_EPOCHS, _FEWEST = 5, 100  # passes, and the updates that there are at least
_RATE = 2e-3  # of Adam at first; it falls to 0 in a straight line
_A_STEP, _STEPS = (
    25,
    200,
)  # updates in a step, more of them where there would be more steps than this
_ROWS = 4096  # points at once


class Gaussians(Protocol):
    """What is moved of the mixture of one class: weights, means and factors of its Gaussians, and where points are among them."""

    log_weight: nn.Parameter
    mean: nn.Parameter
    factor: nn.Parameter
    ensemble: int

    def coordinates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Where x is among them, (N, d), and the nats in data units of what is left of it, (N,)."""
        ...


def hybrid(
    classes: Sequence[Gaussians], log_prior: Tensor, train: Examples, weight: float, *, shared: bool
) -> Iterator[Mapping[str, Tensor]]:
    """argmax sum_n log p(x_n | y_n) + weight log p(y_n | x_n), from where the mixture of each class stands.

    classes    the mixture of each class, in the order of the labels.
    log_prior  log p(y), (classes,).
    shared     all of them have an example at the same coordinates, so that it is looked at once.
    Each mixture of an ensemble learns by itself.  Gaussian k moves in its own units: with white = L_k^-1 (z - mu_k) at the
    start, it becomes N(z) = N(T (white - m); 0, I) |T| / |L_k|, T lower triangular and at first I, m at first 0, so that
    a direction in which data hardly vary is learned as fast as any other.
    Sources: Lasserre, Bishop and Minka 2006, doi:10.1109/CVPR.2006.227 (hybrids of generative and discriminative);
    Larochelle and Bengio 2008, doi:10.1145/1390156.1390224 (the sum of the two).
    """
    assert train.y is not None
    z, rest = _coordinates(classes[:1] if shared else classes, train)
    z, rest = (each.expand(len(classes), *each.shape[1:]) for each in (z, rest))
    moved, prior = _Moved(classes), log_prior.float()
    updates = max(_FEWEST, math.ceil(_EPOCHS * len(train) / _BATCH))
    a_step = max(_A_STEP, math.ceil(updates / _STEPS))
    optimizer = Adam(moved.parameters, lr=_RATE, betas=(0.9, 0.99))
    said: list[Tensor] = []
    for update, rows in enumerate(islice(_shuffled(len(train), z.device), updates)):
        with torch.enable_grad():
            log_p = moved.log_prob(z[:, rows]) + rest[:, rows].T[..., None]  # (B, C, E)
            own, wrong = _told(log_p, prior, train.y[rows])
            loss = weight * wrong - own
        optimizer.param_groups[0]["lr"] = _RATE * (1 - update / updates)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        said.append(torch.stack([own, wrong]).detach())
        if update % a_step == a_step - 1 or update == updates - 1:
            moved.settle(classes)
            likelihood, wrong = torch.stack(said).mean(0)
            yield {"log likelihood": likelihood, "-log p(y | x)": wrong}
            said = []


def _shuffled(n: int, device: torch.device) -> Iterator[Tensor]:
    """The rows of one batch after the other, in another order in every pass."""
    generator = torch.Generator().manual_seed(0)
    while True:
        order = torch.randperm(n, generator=generator).to(device)
        yield from order.split(_BATCH)[: max(1, n // _BATCH)]


def _told(log_p: Tensor, log_prior: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The means of log p(x | y) and of -log p(y | x): log p (B, C, E) of each class and mixture of the ensemble -> (), ()."""
    own = log_p[torch.arange(len(y), device=y.device), y]  # (B, E)
    joint = log_p + log_prior[:, None]  # (B, C, E)
    return own.mean(), nn.functional.cross_entropy(joint, y[:, None].expand_as(own))


def _coordinates(classes: Sequence[Gaussians], train: Examples) -> tuple[Tensor, Tensor]:
    """Every example as the mixture of each class has it: (C, N, d) float32, and the nats of what is left, (C, N)."""
    each = []
    for mixture in classes:
        parts = [mixture.coordinates(batch.x) for batch in batches(train, _ROWS)]
        each.append(tuple(torch.cat(tensors).float() for tensors in zip(*parts, strict=True)))
    z, rest = (torch.stack(tensors) for tensors in zip(*each, strict=True))
    return z, rest


class _Moved:
    """The same after some learning, in float32, in which gradients are exact enough."""

    def __init__(self, classes: Sequence[Gaussians]):
        self.ensemble = classes[0].ensemble
        factor = torch.stack([mixture.factor for mixture in classes])  # (C, M, d, d)
        mean = torch.stack([mixture.mean for mixture in classes])  # (C, M, d)
        self.first = factor, mean  # where they stood
        self.inverse, self.mean = inverse_of(factor).float(), mean.float()
        self.volume = self.inverse.diagonal(dim1=2, dim2=3).log().sum(2)  # -log |L|, (C, M)
        weights = torch.stack([mixture.log_weight for mixture in classes])
        self.log_weight = weights.float().requires_grad_()  # (C, M)
        self.shift = torch.zeros_like(self.mean, requires_grad=True)  # m
        self.lower = torch.zeros_like(self.inverse, requires_grad=True)  # T below its diagonal
        self.log_diagonal = torch.zeros_like(self.shift, requires_grad=True)
        self.parameters = [self.log_weight, self.shift, self.lower, self.log_diagonal]

    def log_weights(self) -> Tensor:
        """log w_k, which sum to 1 in each mixture of the ensemble: (C, E, K)."""
        c, m = self.log_weight.shape
        return self.log_weight.view(c, self.ensemble, m // self.ensemble).log_softmax(2)

    def transform(self) -> Tensor:
        """T, (C, M, d, d)."""
        return self.lower.tril(-1) + torch.diag_embed(self.log_diagonal.exp())

    def log_prob(self, z: Tensor) -> Tensor:
        """log sum_k w_k N(z; k) of each class and mixture of the ensemble: z (C, B, d) -> (B, C, E)."""
        c, b, d = z.shape
        transform = self.transform()
        inverse = transform @ self.inverse  # (C, M, d, d)
        centre = transform @ self.shift[..., None] + inverse @ self.mean[..., None]
        white = inverse.flatten(1, 2) @ z.transpose(1, 2)  # (C, M d, d) @ (C, d, B) -> (C, M d, B)
        squared = (white.view(c, -1, d, b) - centre).square().sum(2)  # (C, M, B)
        volume = self.volume + self.log_diagonal.sum(2)  # (C, M)
        log_n = volume[..., None] - squared / 2 - d / 2 * math.log(2 * math.pi)  # (C, M, B)
        log_w = self.log_weights()  # (C, E, K)
        joint: Tensor = log_w[..., None] + log_n.view(*log_w.shape, b)  # (C, E, K, B)
        return joint.logsumexp(2).permute(2, 0, 1)

    @torch.no_grad()
    def settle(self, classes: Sequence[Gaussians]) -> None:
        """Let each mixture be what was learned."""
        log_w = self.log_weights().double() - math.log(self.ensemble)
        factor, mean = self.first
        mean = mean + (factor @ self.shift.double()[..., None])[..., 0]  # (C, M, d)
        factor = factor @ inverse_of(self.transform().double())  # (T L^-1)^-1 = L T^-1
        for label, mixture in enumerate(classes):
            mixture.log_weight.copy_(log_w[label].flatten())
            mixture.mean.copy_(mean[label])
            mixture.factor.copy_(factor[label])
