"""The standard error of any statistic: leave a block of the points out, take it again, see how it moves."""

import torch
from torch import Generator, Tensor


def random_blocks(n: int, blocks: int, generator: Generator) -> Tensor:
    """A block 0 .. blocks - 1 for each of n points in random order, sizes equal up to one: (n,)."""
    return torch.randperm(n, generator=generator) % blocks


def jackknife_variance(left_out: Tensor) -> Tensor:
    """((B - 1) / B) sum_b (v_b - mean v)^2, v_b the statistic without block b: (B, ...) -> (...).

    Source: Quenouille 1956, doi:10.1093/biomet/43.3-4.353; Tukey 1958.
    """
    blocks = len(left_out)
    return left_out.var(0) * (blocks - 1) ** 2 / blocks
