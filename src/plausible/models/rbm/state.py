"""What a Boltzmann machine remembers from update to update beside its weights."""

import torch
from torch import Tensor, nn


class Centre(nn.Module):
    """What is subtracted from the units: mu (V,), the means of the data, and lambda (H,), those of h.

    ``seen`` is the running mean of h that lambda follows.
    """

    mu: Tensor
    lam: Tensor
    seen: Tensor

    def __init__(self, visible: int, hidden: int):
        super().__init__()
        self.register_buffer("mu", torch.full((visible,), 0.5))
        self.register_buffer("lam", torch.full((hidden,), 0.5))
        self.register_buffer("seen", torch.full((hidden,), 0.5))


class Chains(nn.Module):
    """Where the chains of learning are: h of each (M, H), or v at each temperature (R, M, V).

    fast  what the chains add to W for a while, to leave where they are: (V, H), or nothing.
    """

    state: Tensor
    fast: Tensor | None

    def __init__(self, state: Tensor, fast: Tensor | None):
        super().__init__()
        self.register_buffer("state", state)
        self.register_buffer("fast", fast)
