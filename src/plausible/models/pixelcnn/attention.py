"""Attention to all earlier pixels at once."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

from plausible.nn.causal import HorizontalConv


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
        self.query = HorizontalConv(width, width, 1, groups, strict=False)
        self.memory = nn.Linear(width + groups, 2 * width)
        self.nothing = nn.Parameter(torch.zeros(1, 2 * width))
        self.out = HorizontalConv(width, width, 1, groups, strict=False)

    def heads(self, a: Tensor) -> Tensor:
        """(N, P, F) -> (N, groups, P, F / groups)."""
        n, pixels, _ = a.shape
        return a.view(n, pixels, self.groups, -1).transpose(1, 2)

    def keys_values(self, h: Tensor, x: Tensor) -> Tensor:
        """Keys and values: h (N, P, F), x (N, P, C) -> (N, P, 2 F)."""
        both: Tensor = self.memory(torch.cat([h, x], 2))
        return both

    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        """h (N, F, H, W), x (N, C, H, W) -> (N, F, H, W)."""
        n, _, height, width = h.shape
        pixels = height * width
        pairs = self.keys_values(h.flatten(2).mT, x.flatten(2).mT)  # (N, P, 2 F)
        nothing = self.nothing.expand(n, 1, -1)
        keys, values = torch.cat([nothing, pairs], 1).chunk(2, 2)  # (N, 1 + P, F)
        q = self.query(h).flatten(2).mT  # (N, P, F)
        q, keys, values = (self.heads(a) for a in (q, keys, values))
        # pixel i sees nothing and the pixels before it: the first 1 + i of 1 + P
        mask = torch.ones(pixels, pixels + 1, dtype=torch.bool, device=h.device).tril()
        attended = scaled_dot_product_attention(q, keys, values, attn_mask=mask)
        attended = attended.transpose(1, 2).flatten(2)  # (N, groups, P, d) -> (N, P, F)
        correction: Tensor = self.out(attended.mT.reshape(h.shape))
        return h + correction


class KeyValueCache:
    """Keys and values of the pixels so far."""

    def __init__(self, attention: Attention, x: Tensor):
        n, _, height, width = x.shape
        self.attention, self.count, self.last = attention, 1, (-1, -1)
        self.pairs = x.new_zeros(n, 1 + height * width, 2 * attention.width)
        self.pairs[:, 0] = attention.nothing
        self.h = x.new_zeros(n, attention.width)
        self.query, self.out = attention.query.matrix(), attention.out.matrix()

    def pixel(self, h: Tensor, r: int, c: int, x: Tensor) -> Tensor:
        """h (N, F) at a pixel -> the same, with what it finds in the pixels before."""
        if (r, c) != self.last:  # the pixel before is final: remember it
            if self.last != (-1, -1):
                before = x[:, None, :, self.last[0], self.last[1]]  # (N, 1, C)
                pair = self.attention.keys_values(self.h[:, None], before)  # (N, 1, 2 F)
                self.pairs[:, self.count] = pair[:, 0]
                self.count += 1
            self.last = (r, c)
        self.h = h
        keys, values = self.pairs[:, : self.count].chunk(2, 2)  # (N, count, F)
        q = self.attention.query.pixel(h, self.query)[:, None]  # (N, 1, F)
        q, keys, values = (self.attention.heads(a) for a in (q, keys, values))
        attended = scaled_dot_product_attention(q, keys, values)
        flat = attended.transpose(1, 2).flatten(1)  # (N, groups, 1, d) -> (N, F)
        return h + linear(flat, self.out, self.attention.out.bias)
