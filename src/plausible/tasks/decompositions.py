"""Operations of linear algebra by those that every format has: multiply, add, divide."""

from typing import Any

import torch
from torch import Tensor

_HALVINGS, _TERMS = (
    10,
    8,
)  # of a matrix before its exponential is a short sum, whose rest is below float64's rounding


def substituted(
    a: Tensor, b: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """The x of a x = b, row by row: a (..., D, D) triangular, b (..., D, N) -> (..., D, N)."""
    if not left or unitriangular:
        raise NotImplementedError("a x = b alone, with the diagonal as it is")
    size, rows = a.shape[-1], dict[int, Tensor]()
    for i in reversed(range(size)) if upper else range(size):
        rest = b[..., i : i + 1, :]
        if rows:
            known = sorted(rows)
            others = torch.cat([rows[j] for j in known], -2)
            rest = rest - a[..., i : i + 1, known[0] : known[-1] + 1] @ others
        rows[i] = rest / a[..., i : i + 1, i : i + 1]
    return torch.cat([rows[i] for i in range(size)], -2)


def exponential(a: Tensor) -> Tensor:
    """exp(a) = exp(a / 2^h)^(2^h), by the first terms of the series: (..., D, D) -> the same.

    Source: Moler and Van Loan 2003, doi:10.1137/S00361445024180, method 3.
    """
    small = a.double() / 2**_HALVINGS
    total = torch.eye(a.shape[-1], dtype=torch.float64, device=a.device) + small
    term = small
    for k in range(2, _TERMS + 1):
        term = term @ small / k
        total = total + term
    for _ in range(_HALVINGS):
        total = total @ total
    return total.to(a.dtype)


DECOMPOSITIONS: dict[Any, Any] = {
    torch.ops.aten.linalg_solve_triangular.default: substituted,
    torch.ops.aten.linalg_matrix_exp.default: exponential,
}
"""{operation of torch: what stands for it}."""
