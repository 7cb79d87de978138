"""Units of which few are 1: products with them by adding up rows, which costs as much as there are ones."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

_FEW = 0.2  # of all units; a product of this share takes as long as the dense one or less
_MANY = 256  # columns of the other factor, or finding the ones takes longer than it saves


@dataclass(frozen=True)
class SparseUnits:
    """v (N, V) of zeros and ones, as the places of the ones, by rows and by columns.

    columns, starts      the columns of the ones, row by row, and where each row begins, (N,).
    rows, column_starts  the rows of the ones, column by column, and where each column begins, (V,).
    """

    columns: Tensor
    starts: Tensor
    rows: Tensor
    column_starts: Tensor

    def times(self, weight: Tensor) -> Tensor:
        """v W: (V, H) -> (N, H)."""
        return embedding_bag(self.columns, weight, self.starts, mode="sum")

    def transposed_times(self, slope: Tensor) -> Tensor:
        """v' S: (N, H) -> (V, H)."""
        return embedding_bag(self.rows, slope, self.column_starts, mode="sum")


def sparse_units(v: Tensor, columns: int) -> SparseUnits | None:
    """The ones of v (N, V), where products with so many columns gain by that; otherwise None."""
    if v.device.type != "cpu" or columns < _MANY or float(v.mean()) > _FEW:
        return None
    ones = np.flatnonzero(v.numpy() != 0)  # row by row
    row, column = np.divmod(ones, v.shape[1])
    small = column.astype(np.min_scalar_type(v.shape[1]))  # of 16 bits, sorting takes one pass
    by_column = np.argsort(small, kind="stable")
    return SparseUnits(
        torch.from_numpy(column),
        _starts(row, len(v)),
        torch.from_numpy(row[by_column]),
        _starts(column, v.shape[1]),
    )


def _starts(places: np.ndarray, count: int) -> Tensor:
    """Where each of so many groups begins."""
    sizes = np.bincount(places, minlength=count)
    return torch.from_numpy(sizes.cumsum() - sizes)
