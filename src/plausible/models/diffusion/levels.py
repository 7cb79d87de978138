"""Which level a coordinate has, seen through a little noise: by how near it is, and by how often it occurs."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from plausible.core.examples import Examples, batches
from plausible.core.space import Space

# where the bound begins, in distances of two levels: of few levels, of many, ...
_FEW, _OF_FEW, _OF_MANY = 32, 0.35, 0.5
# ... and where some occur so much more often that to say them behind 8 times the noise loses less than this share of log 8
_UNEVEN, _OF_UNEVEN = 0.75, 2.0
_COUNTED = 65_536  # images at most, so that no more are read where a training begins
_NODES = 64  # of the quadrature over the noise
_FINE = 16  # parts of the distance of two levels, within which one level is the answer
_BEYOND = 4  # distances of two levels that a coordinate may lie outside
_LEFT = 2.0 / 255  # deviation of what the way to a sample leaves of error, in data units


class Levels(nn.Module):
    """p(k | u) = f_k N(u; k, s^2) / sum_j f_j N(u; j, s^2) of each coordinate by itself, k its level, u = k + s e.

    f is how often each level occurs in a channel of the training part, so that sprites get their white and their black
    back, which are half of all pixels and which no network says to a 255th; of photographs it is nearly flat, and the
    nearest level is the most probable.  Before anything was counted f is flat.

    log_frequency  (C, L), of the channels of images, of vectors of all coordinates together.
    noise          where the bound has p(k | u), s in distances of two levels, ().  A network that says E[u] hardly better
                   than u itself pays log 2 nats a coordinate for each halving of s, and p(k | u) gains less than that
                   where levels are uneven; so there it is asked earlier.
    Source: Kingma et al. 2021, https://arxiv.org/abs/2107.00630, appendix, where f is flat.
    """

    log_frequency: Tensor
    noise: Tensor

    def __init__(self, space: Space):
        super().__init__()
        assert space.levels
        self.space = space
        groups = space.shape[0] if len(space.shape) == 3 else 1
        self.register_buffer("log_frequency", torch.zeros(groups, space.levels))
        self.register_buffer(
            "noise", torch.tensor(_OF_FEW if space.levels <= _FEW else _OF_MANY).double()
        )
        self._asked, self._answer = (0, 0), 0.0

    @property
    def least(self) -> float:
        """The noise behind which the bound has p(k | u), in standard units, in which levels reach from -1 to 1."""
        return 2 * self._noise_now() / (self.log_frequency.shape[1] - 1)

    def _noise_now(self) -> float:
        """The ``noise`` as a number: a GPU is only asked, and waited for, where it has changed since."""
        if self.noise.is_inference():  # which counts no changes
            return self.noise.item()
        state = (id(self.noise), self.noise._version)
        if state != self._asked:
            self._asked, self._answer = state, self.noise.item()
        return self._answer

    def count(self, train: Examples) -> None:
        """Take f from the training part, each level as if seen once more."""
        groups, levels = self.log_frequency.shape
        counts = torch.ones(groups * levels, dtype=torch.long)
        first = levels * torch.arange(groups)[:, None]  # (C, 1)
        few = train.rows(slice(0, None, -(-len(train) // _COUNTED)))
        for batch in batches(few):
            codes = self.space.codes(batch.x).cpu().long()
            of_group = codes.view(len(codes), groups, -1).transpose(0, 1).flatten(1)  # (C, N D / C)
            counts += torch.bincount((of_group + first).flatten(), minlength=groups * levels)
        share = counts.view(groups, levels).double()
        share /= share.sum(1, keepdim=True)
        self.log_frequency.copy_(share.log())
        if levels > _FEW:
            lost = self._costs(8 * _OF_MANY).cpu() - self._costs(_OF_MANY).cpu()  # (C, L)
            uneven = (share * lost).sum(1).mean() < _UNEVEN * math.log(8)
            self.noise.fill_(_OF_UNEVEN if uneven else _OF_MANY)

    def most_probable(self, x: Tensor) -> Tensor:
        """The k of largest p(k | x) with s = 2 / 255, as a point on the levels: data units (N, *shape) -> the same."""
        groups, levels = self.log_frequency.shape
        at = x.view(len(x), groups, -1) * (levels - 1)  # in levels
        place = ((at + _BEYOND) * _FINE).floor().clamp(0, (levels - 1 + 2 * _BEYOND) * _FINE)
        table = self._answers()  # (C, M)
        rows = torch.arange(groups, device=x.device)[:, None]
        return (table[rows, place.long()] / (levels - 1)).view_as(x)

    def decoding(self, x: Tensor) -> Tensor:
        """E_e -log p(k | k + s e) in nats, s the ``noise``: data units (N, *shape) -> (N,)."""
        groups = len(self.log_frequency)
        codes = self.space.codes(x).long().view(len(x), groups, -1)  # (N, C, D / C)
        rows = torch.arange(groups, device=x.device)[:, None]
        return self._costs(self._noise_now())[rows, codes].flatten(1).sum(1).to(x.dtype)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Weights of a run that counted no levels load too, and f stays flat."""
        for name, flat in self.named_buffers():
            state_dict.setdefault(f"{prefix}{name}", flat)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def _answers(self) -> Tensor:
        """The most probable level of each fine interval, (C, M), also of those outside."""
        levels = self.log_frequency.shape[1]
        count = (levels - 1 + 2 * _BEYOND) * _FINE + 1
        middle = (torch.arange(count, device=self.log_frequency.device) + 0.5) / _FINE - _BEYOND
        s = _LEFT * (levels - 1)
        k = torch.arange(levels, device=middle.device)
        near = -(middle[:, None] - k).square() / (2 * s**2)  # (M, L)
        return torch.stack([(near + f).argmax(1) for f in self.log_frequency]).float()

    def _costs(self, s: float) -> Tensor:
        """Of each level, in double precision, (C, L)."""
        e, weight = (torch.from_numpy(a) for a in np.polynomial.hermite_e.hermegauss(_NODES))
        log_f = self.log_frequency.double()  # (C, L)
        e, weight = e.to(log_f.device), (weight / weight.sum()).to(log_f.device)
        k = torch.arange(log_f.shape[1], device=log_f.device)
        away = (k[:, None, None] - k) / s + e[:, None]  # (L, E, L), from k + s e to each j
        near = (e.square()[:, None] - away.square()) / 2
        said = [(near + f).logsumexp(2) - f[:, None] for f in log_f]  # (L, E) each
        return torch.stack([one @ weight for one in said])  # (C, L)
