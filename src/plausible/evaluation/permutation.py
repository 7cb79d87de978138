"""Who is a sample and who is held out: shuffled for a null distribution, redrawn for an interval."""

from dataclasses import dataclass, fields

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class GroupLabels:
    """B ways to say which of the N = 2n pooled points (G first, then H) count as samples.

    g          (B, N) float32, the weight of each point as a sample.
    h          (B, N) float32, its weight as a held-out example.
    is_sample  (B, N) bool, whether it is a sample.
    is_heldout (B, N) bool, whether it is held out; a point may be neither.
    """

    g: Tensor
    h: Tensor
    is_sample: Tensor
    is_heldout: Tensor

    def __len__(self) -> int:
        return len(self.g)

    def difference(self, scores: Tensor) -> Tensor:
        """Mean score of the samples minus mean score of the held-out examples: (N,) -> (B,)."""
        return self.g @ scores / self.g.sum(1) - self.h @ scores / self.h.sum(1)

    def then(self, others: "GroupLabels") -> "GroupLabels":
        """These rows, then the others."""
        return GroupLabels(
            *(torch.cat([getattr(x, f.name) for x in (self, others)]) for f in fields(self))
        )

    def __getitem__(self, rows: slice) -> "GroupLabels":
        return GroupLabels(*(getattr(self, f.name)[rows] for f in fields(self)))


def grouped(is_sample: Tensor, is_heldout: Tensor | None = None) -> GroupLabels:
    """Labels of weight 1: bool (B, N) each; what is no sample is held out, unless told."""
    is_heldout = ~is_sample if is_heldout is None else is_heldout
    return GroupLabels(is_sample.float(), is_heldout.float(), is_sample, is_heldout)


def observed(n: int, held: int | None = None) -> GroupLabels:
    """The labels as they are: the first n are the samples, and as many others held out, unless told; B = 1."""
    return grouped((torch.arange(n + (n if held is None else held)) < n)[None])  # (1, N)


def permuted(n: int, draws: int, generator: Generator) -> GroupLabels:
    """``draws`` random halves of 2n points: what the labels could have been if G ~ H."""
    order = torch.rand(draws, 2 * n, generator=generator).argsort(1)  # (B, 2n)
    return grouped(order < n)


def resampled(n: int, draws: int, generator: Generator) -> GroupLabels:
    """``draws`` bootstrap samples: n of G and n of H, each with replacement, as weights."""
    counts = torch.zeros(draws, 2 * n)
    for start in (0, n):
        rows = torch.randint(n, (draws, n), generator=generator) + start  # (B, n)
        counts.scatter_add_(1, rows, torch.ones(draws, n))
    is_sample = observed(n).is_sample.expand(draws, -1)
    return GroupLabels(counts * is_sample, counts * ~is_sample, is_sample, ~is_sample)


def p_value(statistic: float, null: Tensor) -> float:
    """(1 + #{null >= statistic}) / (B + 1): exact at any B (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585).

    Values equal up to rounding count as equal.
    """
    slack = 1e-6 * max(abs(statistic), float(null.abs().max()), 1e-12)
    return (1 + int((null >= statistic - slack).sum())) / (len(null) + 1)


def holm(p: list[float]) -> list[float]:
    """Holm's adjusted p-values: reject p_i <= alpha after adjustment, at most alpha false in all.

    Holds whatever the dependence between the tests.  Source: Holm 1979, jstor.org/stable/4615733.
    """
    order = sorted(range(len(p)), key=p.__getitem__)
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = largest
    return adjusted
