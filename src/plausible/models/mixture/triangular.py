"""Inverses of the triangular factors of covariances."""

import torch
from torch import Tensor


def inverse_of(lower: Tensor) -> Tensor:
    """L^-1 of lower triangular L (..., d, d), by substitution, in its precision."""
    eye = torch.eye(lower.shape[-1], dtype=lower.dtype, device=lower.device)
    inverse: Tensor = torch.linalg.solve_triangular(lower, eye.expand_as(lower), upper=False)
    return inverse
