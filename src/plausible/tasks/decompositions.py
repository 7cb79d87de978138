"""Operations that ONNX lacks, by those that it has: multiply, add, divide."""

from typing import Any

import torch
from torch import Tensor

_HALVINGS, _TERMS = (
    10,
    8,
)  # of a matrix before its exponential is a short sum, whose rest is below float64's rounding


def solved(
    a: Tensor, b: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """The x of a x = b: a (..., D, D) triangular, b (..., D, N) -> (..., D, N).

    By the inverse of a, block by block, each level twice as large: log2(D) products, and not D lines after one another.
    """
    if not left or unitriangular:
        raise NotImplementedError("a x = b alone, with the diagonal as it is")
    lower = (a.mT if upper else a).double()
    one = torch.eye(a.shape[-1], dtype=torch.float64, device=a.device)
    place = torch.arange(a.shape[-1], device=a.device)
    inverse, side = one / (lower * one).sum(-1, keepdim=True), 1
    while side < a.shape[-1]:
        block = place // side
        corner = (block[:, None] == block + 1) & (block % 2 == 0)  # below the first of each pair
        inverse = inverse - inverse @ (lower * corner) @ inverse
        side *= 2
    return ((inverse.mT if upper else inverse) @ b.double()).to(b.dtype)


def softplus(x: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """log(1 + exp(beta x)) / beta, of which onnxruntime has no float64."""
    scaled = x * beta
    return (scaled.relu() + (1 + (-scaled.abs()).exp()).log()) / beta


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
    torch.ops.aten.linalg_solve_triangular.default: solved,
    torch.ops.aten.softplus.default: softplus,
    torch.ops.aten.linalg_matrix_exp.default: exponential,
}
"""{operation of torch: what stands for it}."""
