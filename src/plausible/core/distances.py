"""Squared distances between two sets of points."""

from typing import Literal

import torch
from torch import Tensor

Form = Literal["product", "direct", "cdist"]


def squared_distances(a: Tensor, b: Tensor, form: Form = "product") -> Tensor:
    """|a_i - b_j|^2: (n, d), (m, d) -> (n, m), never below 0.

    The forms differ in rounding and in what they cost, so each caller keeps its own.

    product  |a|^2 + |b|^2 - 2 a.b, one matrix product: fast, but what is far smaller than the norms
             drowns in their rounding, and equal points are not at distance 0.
    direct   sum of (a - b)^2: right to the last digits and 0 between equal points, with n m d numbers
             held at once.
    cdist    torch's distance, squared: direct up to 25 points a side, by the product beyond.
    """
    if form == "direct":
        return (a[:, None] - b).square().sum(2)  # (n, 1, d) - (m, d) -> (n, m, d) -> (n, m)
    if form == "cdist":
        return torch.cdist(a, b).square()
    return (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp(min=0)
