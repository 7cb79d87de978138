"""Visible units v and hidden units h, all 0 or 1, and an energy that joins each v to each h."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import softplus


@dataclass(frozen=True)
class Energy:
    """p*(v, h) = exp(a.v + c.h + v.W h), so that p(v | h) and p(h | v) are products over units.

    weight   W (D, H).
    visible  a (D,).
    hidden   c (H,), or (N, H) where every row has its own.
    classes  the last so many visible units are a label: exactly one of them is 1.
    Sources: Smolensky 1986; Hinton 2002, doi:10.1162/089976602760128018.
    """

    weight: Tensor
    visible: Tensor
    hidden: Tensor
    classes: int = 0

    def preactivation(self, v: Tensor) -> Tensor:
        """c + v W, the logit of each h given v: (..., D) -> (..., H)."""
        return v @ self.weight + self.hidden

    def neg_free_energy(self, v: Tensor) -> Tensor:
        """log p*(v) = -F(v) = a.v + sum_j log(1 + e^preactivation_j): (..., D) -> (...)."""
        return v @ self.visible + softplus(self.preactivation(v)).sum(-1)

    def sample_hidden(self, v: Tensor, generator: Generator | None = None) -> Tensor:
        """h ~ p(h | v): (..., D) -> (..., H)."""
        return bernoulli(self.preactivation(v), generator)

    def sample_visible(self, h: Tensor, generator: Generator | None = None) -> Tensor:
        """v ~ p(v | h): (..., H) -> (..., D)."""
        return visible_units(h @ self.weight.T + self.visible, self.classes, generator)

    def log_z_independent(self, logit: Tensor) -> Tensor:
        """log of the sum over all v of e^(logit.v), the log Z of independent units: (D,) -> ()."""
        pixels = logit[: len(logit) - self.classes]
        total = softplus(pixels).sum()
        return total + logit[len(pixels) :].logsumexp(0) if self.classes else total


def bernoulli(logit: Tensor, generator: Generator | None = None) -> Tensor:
    """1 with probability sigma(logit), otherwise 0, of any shape."""
    uniform = torch.rand(logit.shape, generator=generator, device=logit.device)
    share = logit.detach().sigmoid()
    return torch.lt(uniform, share, out=share)  # in its place


def visible_units(logit: Tensor, classes: int = 0, generator: Generator | None = None) -> Tensor:
    """Pixels that are 1 with probability sigma(logit), then a label by softmax, as a unit a class: (..., D)."""
    if not classes:
        return bernoulli(logit, generator)
    pixels, label = logit[..., :-classes], logit[..., -classes:]
    uniform = torch.rand(label.shape, generator=generator, device=logit.device)
    first = (label - (-uniform.log()).log()).argmax(-1)  # Gumbel
    return torch.cat([bernoulli(pixels, generator), label_units(first, classes, logit.dtype)], -1)


def label_units(y: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """A unit for each class, of which that of the label is 1: (...) -> (..., classes)."""
    # torch's one_hot would first ask for the smallest label and the largest, and wait for them
    return torch.eye(classes, dtype=dtype, device=y.device)[y]
