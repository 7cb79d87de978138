"""The long short-term memory, with a gate for each channel of the image."""

import torch
from torch import Tensor


def lstm_cell(gates: Tensor, cell: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """c' = sigma(f) c + sigma(i) tanh(g), h' = sigma(o) tanh(c'): gates (N, 4 h, ...), c (N, h, ...).

    Each group of channels has its own quarter of every gate, so that none learns of a later one.
    Source: Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735.
    """
    parts: Tensor = gates.unflatten(1, (groups, 4, -1))  # (N, groups, 4, h / groups, ...)
    forget, enter, new, out = (part.flatten(1, 2) for part in parts.unbind(2))  # (N, h, ...)
    cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
    return torch.sigmoid(out) * torch.tanh(cell), cell
