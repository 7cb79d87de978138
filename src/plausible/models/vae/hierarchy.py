"""What every network of a variational autoencoder is: a path from the top of z down to x."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from plausible.core.capabilities import Posterior

_ONE = 0.541324854612918  # softplus of this is 1

Choose = Callable[[slice, Tensor, Tensor], Tensor]
"""(coordinates of z_l, m_l, s_l) -> z_l, each (R, d_l)."""


class LatentPath(NamedTuple):
    """z from the top layer down, and q on the way; the last step is left to ``finish``.

    z, mean, scale  (R, d): q(z | x) = N(mean, scale^2) coordinate by coordinate, where each layer's
                    depends on the layers above it, and the z that was chosen.
    state           what the last step starts from, (R, ...).
    """

    z: Tensor
    mean: Tensor
    scale: Tensor
    state: Tensor

    @property
    def posterior(self) -> Posterior:
        """q(z | x) alone."""
        return Posterior(self.z, self.mean, self.scale)


class Hierarchy(nn.Module, ABC):
    """z = (z_1, ..., z_L) ~ N(0, I), top first; x from all of them; q(z | x) = prod_l q(z_l | z_<l, x).

    Every z_l is standard normal, and what p(z_l | z_<l) adds to that, a mean and a scale, is part of the
    step that uses it.  So z is one vector whatever the number of layers, and
    KL(q || p) = sum_l KL(N(m_l, s_l^2) || N(0, I)).  Posterior and decoder go down together and share
    the state (Sonderby et al. 2016, https://arxiv.org/abs/1602.02282: the ladder).

    sizes          d_1 .. d_L.
    path_dropout   whether units may drop out on the path itself, so that no path can be taken again.
    """

    sizes: tuple[int, ...]
    path_dropout: bool = False

    @abstractmethod
    def encoder_features(self, x: Tensor) -> list[Tensor]:
        """What the encoder says to each layer, top first: x (N, *shape) in standard units -> (N, ...)."""

    @abstractmethod
    def top_state(self, n: int, y: Tensor | None) -> Tensor:
        """The state before any z, of labels y (n,) where there are any: (n, ...)."""

    @abstractmethod
    def posterior_params(self, layer: int, features: Tensor, state: Tensor) -> Tensor:
        """m_l beside a_l, s_l = softplus(a_l): features (R, ...), state (R, ...) -> (R, 2 d_l)."""

    @abstractmethod
    def decoder_step(self, layer: int, state: Tensor, z: Tensor) -> Tensor:
        """The state below a layer: state (R, ...), z (R, d_l) -> (R, ...)."""

    @abstractmethod
    def output(self, state: Tensor) -> Tensor:
        """What decides each p(x_i | z): state (R, ...) -> (R, *shape, size)."""

    @property
    def parts(self) -> list[slice]:
        """The coordinates of each layer."""
        ends = accumulate(self.sizes)
        return [slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True)]

    def forward(
        self, features: Sequence[Tensor], y: Tensor | None, choose: Choose, draws: int
    ) -> LatentPath:
        """The path down with ``draws`` different z for each of N examples: R = draws N rows, draw by draw.

        The posterior of the top layer does not depend on z and is computed once for each example.
        """
        n = len(features[0])
        state, layers = self.top_state(n, y), []
        for layer, part in enumerate(self.parts):
            if layer == 1:
                features = [repeated(f, draws) for f in features]
            # in float32, because bits that bf16 rounds away add up in a KL
            mean, raw = self.posterior_params(layer, features[layer], state).float().chunk(2, 1)
            scale = softplus(raw + _ONE)
            if layer == 0:
                mean, scale, state = (repeated(a, draws) for a in (mean, scale, state))
            z = choose(part, mean, scale)
            layers.append((z, mean, scale))
            if layer < len(self.sizes) - 1:
                state = self.decoder_step(layer, state, z)
        z, mean, scale = (
            p[0] if len(p) == 1 else torch.cat(p, 1) for p in zip(*layers, strict=True)
        )
        return LatentPath(z, mean, scale, state)

    def finish(self, path: LatentPath) -> Tensor:
        """The last step of a path and what decides each p(x_i | z): (R, *shape, size)."""
        last = path.z[:, self.parts[-1]]
        return self.output(self.decoder_step(len(self.sizes) - 1, path.state, last))

    def decode(self, z: Tensor, y: Tensor | None) -> Tensor:
        """What decides each p(x_i | z): z (N, d), y (N,) -> (N, *shape, size)."""
        state = self.top_state(len(z), y)
        for layer, part in enumerate(self.parts):
            state = self.decoder_step(layer, state, z[:, part])
        return self.output(state)


def repeated(x: Tensor, draws: int) -> Tensor:
    """(N, ...) -> (draws N, ...), the whole again and again."""
    return x if draws == 1 else x.expand(draws, *x.shape).flatten(0, 1)
