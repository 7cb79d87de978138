"""Coordinates in which all directions vary alike."""

import torch
from torch import Tensor

from plausible.core.errors import NotDefined


def whitening(rest: Tensor, ridge: float) -> Tensor:
    """(C + r tr(C) / p)^(-1/2), C the covariance of centred rows (n, p): (p, p), by its eigenvectors.

    Raises ``NotDefined`` where nothing varies.
    """
    values, vectors = torch.linalg.eigh((rest.T @ rest / len(rest)).double())  # (p,), (p, p)
    if values.mean() <= 1e-12:
        raise NotDefined("the examples are all the same, so there is no spread to compare")
    return (vectors / (values.clamp(min=0) + ridge * values.mean()).sqrt()).float()
