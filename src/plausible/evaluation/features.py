"""Feature extractors that need no training: f(x) (N, *shape) -> (N, d)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

Features = Callable[[Tensor], Tensor]


def pca(train: Tensor, dims: int = 64) -> Features:
    """The leading principal components of the training part, at most ``dims`` and at most its rank.

    train (N, *shape); images are shrunk to at most 16 x 16 first, so that D stays below a thousand.
    The components are fixed here, so whatever is compared later is compared in the same coordinates.
    """
    rows = _rows(train)  # (N, *shape) -> (N, D)
    mean = rows.mean(0)
    _, vectors = torch.linalg.eigh((rows - mean).T @ (rows - mean))  # (D, D), ascending
    axes = vectors[:, -min(dims, rows.shape[1], max(len(rows) - 1, 1)) :]  # (D, d)

    def project(x: Tensor) -> Tensor:
        return (_rows(x.to(mean)) - mean) @ axes  # (N, *shape) -> (N, d)

    return project


def _rows(x: Tensor) -> Tensor:
    if x.ndim == 4 and max(x.shape[2:]) > 16:
        size = (min(x.shape[2], 16), min(x.shape[3], 16))
        x = adaptive_avg_pool2d(x, size)  # (N, C, H, W) -> (N, C, <=16, <=16)
    return x.flatten(1).double()
