"""Attention to all earlier pixels at once."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

from plausible.nn.causal import Left


class Attention(nn.Module):
    """h_i <- h_i + out(sum_{j < i} softmax_j(q_i . k_j) v_j), j = none as well, for the first pixel.

    Keys and values come from h_j and the pixel x_j itself, final when pixel i is due; queries from h_i,
    a head for each channel of the image, so that no channel learns of a later one.
    Sources: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; Chen et al. 2018,
    https://arxiv.org/abs/1712.09763.
    """

    def __init__(self, width: int, groups: int):
        super().__init__()
        self.groups, self.width = groups, width
        self.query = Left(width, width, 1, groups, strict=False)
        self.memory = nn.Linear(width + groups, 2 * width)
        self.nothing = nn.Parameter(torch.zeros(1, 2 * width))
        self.out = Left(width, width, 1, groups, strict=False)

    def heads(self, a: Tensor) -> Tensor:
        """(N, P, F) -> (N, groups, P, F / groups)."""
        return a.unflatten(2, (self.groups, -1)).transpose(1, 2)

    def remember(self, h: Tensor, x: Tensor) -> Tensor:
        """Keys and values: h (N, P, F), x (N, P, C) -> (N, P, 2 F)."""
        return self.memory(torch.cat([h, x], 2))

    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        """h (N, F, H, W), x (N, C, H, W) -> (N, F, H, W)."""
        n, _, height, width = h.shape
        pixels = height * width
        kept = self.remember(h.flatten(2).mT, x.flatten(2).mT)  # (N, P, 2 F)
        nothing = self.nothing.expand(n, 1, -1)
        keys, values = torch.cat([nothing, kept], 1).chunk(2, 2)  # (N, 1 + P, F)
        q = self.query(h).flatten(2).mT  # (N, P, F)
        q, keys, values = (self.heads(a) for a in (q, keys, values))
        # pixel i sees nothing and the pixels before it: the first 1 + i of 1 + P
        mask = torch.ones(pixels, pixels + 1, dtype=torch.bool, device=h.device).tril()
        seen = scaled_dot_product_attention(q, keys, values, attn_mask=mask)
        seen = seen.transpose(1, 2).flatten(2)  # (N, groups, P, d) -> (N, P, F)
        return h + self.out(seen.mT.unflatten(2, (height, width)))


class Memory:
    """Keys and values of the pixels so far."""

    def __init__(self, look: Attention, x: Tensor):
        n, _, height, width = x.shape
        self.look, self.count, self.last = look, 1, (-1, -1)
        self.kept = x.new_zeros(n, 1 + height * width, 2 * look.width)
        self.kept[:, 0] = look.nothing
        self.h = x.new_zeros(n, look.width)
        self.query, self.out = look.query.matrix(), look.out.matrix()

    def pixel(self, h: Tensor, r: int, c: int, x: Tensor) -> Tensor:
        """h (N, F) at a pixel -> the same, with what was seen before."""
        if (r, c) != self.last:  # the pixel before is final: remember it
            if self.last != (-1, -1):
                before = x[:, :, self.last[0], self.last[1]]
                self.kept[:, self.count] = self.look.remember(self.h[:, None], before[:, None])[
                    :, 0
                ]
                self.count += 1
            self.last = (r, c)
        self.h = h
        keys, values = self.kept[:, : self.count].chunk(2, 2)  # (N, count, F)
        q = self.look.query.pixel(h, self.query)[:, None]  # (N, 1, F)
        q, keys, values = (self.look.heads(a) for a in (q, keys, values))
        seen = scaled_dot_product_attention(q, keys, values)
        flat = seen.transpose(1, 2).flatten(1)  # (N, groups, 1, d) -> (N, F)
        return h + linear(flat, self.out, self.look.out.bias)
