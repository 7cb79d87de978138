"""Distances between two sets of feature vectors."""

import torch
from torch import Tensor

from plausible.core.registry import Refused


def frechet(a: Tensor, b: Tensor) -> float:
    """|m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)): between Gaussians fitted to two sets.

    a (n, d), b (m, d) features; computed in float64; S is the unbiased covariance.
    tr (S_a S_b)^(1/2) is the nuclear norm of A B^T / sqrt((n - 1)(m - 1)) for the centred rows A, B,
    taken directly when there are fewer rows than dimensions, and otherwise from the eigenvalues of
    the symmetric S_a^(1/2) S_b S_a^(1/2); a general matrix square root is unstable here.
    Biased upwards by about (1/n + 1/m) tr S: compare only at equal n and m.
    Raises ``Refused`` for fewer than 2 rows or values that are not finite.
    Source: Dowson and Landau 1982; Heusel et al. 2017, https://arxiv.org/abs/1706.08500.
    """
    if min(len(a), len(b)) < 2:
        raise Refused(f"a Frechet distance needs at least 2 of each, not {len(a)} and {len(b)}")
    a, b = a.double(), b.double()
    if not (a.isfinite().all() and b.isfinite().all()):
        raise Refused("a Frechet distance needs finite features, and some are NaN or infinite")
    mean_a, mean_b = a.mean(0), b.mean(0)  # (n, d) -> (d,)
    rows_a = (a - mean_a) / (len(a) - 1) ** 0.5
    rows_b = (b - mean_b) / (len(b) - 1) ** 0.5
    traces = rows_a.square().sum() + rows_b.square().sum()
    if min(len(a), len(b)) < a.shape[1]:
        cross = torch.linalg.svdvals(rows_a @ rows_b.T).sum()  # (n, m) -> ()
    else:
        values, vectors = torch.linalg.eigh(rows_a.T @ rows_a)  # (d,), (d, d)
        root = vectors * values.clamp(min=0).sqrt() @ vectors.T  # (d, d)
        inner = torch.linalg.eigvalsh(root @ (rows_b.T @ rows_b) @ root)  # (d,)
        cross = inner.clamp(min=0).sqrt().sum()
    distance = (mean_a - mean_b).square().sum() + traces - 2 * cross
    return max(distance.item(), 0.0)
